"""Notifications: read, acknowledged."""

from erphub.events.notifications import NotificationService
from erphub.events.schemas import NotificationPage, NotificationQuery, NotificationView
from erphub.platform.capability import NoAct
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_MANAGE, CONNECTIONS_VIEW

router = Router("Notifications and webhooks")


@router.get("/clients/{client_id}/notifications", needs=CONNECTIONS_VIEW)
def list_notifications(service: NotificationService, member: Member, query: NotificationQuery) -> NotificationPage:
    """List what happened in a client, the newest first."""
    return service.list_notifications(member, query)


@router.post(
    "/clients/{client_id}/notifications/{notification_id}/acknowledge",
    needs=CONNECTIONS_MANAGE,
    audit=NoAct("It says that a notification was read, and changes nothing that the notification is about."),
    status=200,
)
def acknowledge_notification(service: NotificationService, member: Member, notification_id: str) -> NotificationView:
    """Say that somebody sees to it."""
    return service.acknowledge(member, notification_id)
