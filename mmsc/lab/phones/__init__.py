"""The phones of a lab: a handset for each subscriber, which people and programs use as one uses a phone. All that they
do goes over MM1 and through the SMSC, like any phone's; what they are told lives as long as the process."""

from mmsc.lab.phones.items import Item as Item
from mmsc.lab.phones.items import Kind as Kind
from mmsc.lab.phones.items import State as State
from mmsc.lab.phones.lines import Line as Line
from mmsc.lab.phones.manager import Phones as Phones
from mmsc.lab.phones.phone import Draft as Draft
from mmsc.lab.phones.phone import Phone as Phone
from mmsc.lab.phones.phone import PhoneRefuses as PhoneRefuses
from mmsc.lab.phones.settings import PhoneSettings as PhoneSettings
from mmsc.lab.phones.settings import ReadReports as ReadReports
