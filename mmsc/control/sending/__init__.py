"""Composes a request as a VASP, a handset, another MMSC or a program of REST would, shows it octet for octet, and sends
it over a socket like any of them. Wrong on purpose is allowed: what a reader will object to is told beforehand."""

from mmsc.control.sending.draft import Attachment as Attachment
from mmsc.control.sending.draft import BadDraft as BadDraft
from mmsc.control.sending.draft import Draft as Draft
from mmsc.control.sending.sender import Logins as Logins
from mmsc.control.sending.sender import Sending as Sending
from mmsc.control.sending.sender import Sent as Sent
from mmsc.control.sending.wire import Wire as Wire
