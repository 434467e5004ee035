"""The one room where AWS is spoken: tables, secrets, state machines, the lake."""
