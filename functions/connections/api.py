"""The door for people and programs: who may do what, the catalogue, the wizard, the connections."""

from erphub import web, wiring

door = web.Door(wiring.hall)
handler = door
