"""A captured request again, edited or not, over a real socket: to this server, or to where it may be sent."""

from mmsc.control.replaying.model import NotAllowed as NotAllowed
from mmsc.control.replaying.model import Replay as Replay
from mmsc.control.replaying.model import Replayed as Replayed
from mmsc.control.replaying.model import Unreplayable as Unreplayable
from mmsc.control.replaying.service import Replaying as Replaying
from mmsc.control.replaying.targets import Targets as Targets
