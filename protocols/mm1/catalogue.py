"""All PDUs of MM1, by X-Mms-Message-Type (OMA-TS-MMS_ENC 7.3.30)."""

from dataclasses import fields
from typing import Final

from protocols.mm1 import mbox_pdus, pdus
from protocols.mm1.pdu import Pdu

PDUS: Final[tuple[type[Pdu], ...]] = (
    pdus.MSendReq,
    pdus.MSendConf,
    pdus.MNotificationInd,
    pdus.MNotifyRespInd,
    pdus.MRetrieveConf,
    pdus.MAcknowledgeInd,
    pdus.MDeliveryInd,
    pdus.MReadRecInd,
    pdus.MReadOrigInd,
    pdus.MForwardReq,
    pdus.MForwardConf,
    mbox_pdus.MMboxStoreReq,
    mbox_pdus.MMboxStoreConf,
    mbox_pdus.MMboxViewReq,
    mbox_pdus.MMboxViewConf,
    mbox_pdus.MMboxUploadReq,
    mbox_pdus.MMboxUploadConf,
    mbox_pdus.MMboxDeleteReq,
    mbox_pdus.MMboxDeleteConf,
    mbox_pdus.MMboxDescr,
    mbox_pdus.MDeleteReq,
    mbox_pdus.MDeleteConf,
    pdus.MCancelReq,
    pdus.MCancelConf,
)
BY_TYPE: Final = {int(cls.message_type): cls for cls in PDUS}
HAS_BODY: Final = {int(cls.message_type): any(one.name == "body" for one in fields(cls)) for cls in PDUS}
