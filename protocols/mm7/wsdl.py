"""The WSDL of what an MMSC offers to VASPs, and of what it sends them (WSDL 1.1; TS 23.140 8.7.8), per namespace."""

from typing import Final
from xml.sax.saxutils import quoteattr

from protocols.mm7 import schema
from protocols.mm7.namespaces import Dialect

_TARGET: Final = "urn:mmsc:mm7:"
_TRANSACTION: Final = '<soap:header message="w:TransactionHeader" part="TransactionID" use="literal"/>'

Pairs = tuple[tuple[str, str, str], ...]  # operation, request, response
_TO_SERVER: Final[Pairs] = (
    ("Submit", "SubmitReq", "SubmitRsp"),
    ("Cancel", "CancelReq", "CancelRsp"),
    ("Replace", "ReplaceReq", "ReplaceRsp"),
)
_EXTENDED: Final[Pairs] = (
    ("ExtendedCancel", "extendedCancelReq", "extendedCancelRsp"),
    ("ExtendedReplace", "extendedReplaceReq", "extendedReplaceRsp"),
)
_TO_VASP: Final[Pairs] = (
    ("Deliver", "DeliverReq", "DeliverRsp"),
    ("DeliveryReport", "DeliveryReportReq", "DeliveryReportRsp"),
    ("ReadReply", "ReadReplyReq", "ReadReplyRsp"),
)
_SERVER_FAULT: Final = "RSErrorRsp"
_VASP_FAULT: Final = "VASPErrorRsp"


def _message(name: str) -> str:
    return f'<message name="{name}"><part name="body" element="m:{name}"/></message>'


def _operation(name: str, request: str, response: str, fault: str) -> str:
    ports = f'<input message="w:{request}"/><output message="w:{response}"/>'
    return f'<operation name="{name}">{ports}<fault name="{fault}" message="w:{fault}"/></operation>'


def _port_type(name: str, pairs: Pairs, fault: str) -> str:
    inner = "".join(_operation(one, request, response, fault) for one, request, response in pairs)
    return f'<portType name="{name}">{inner}</portType>'


def _bound(name: str, fault: str) -> str:
    both = f'<soap:body parts="body" use="literal"/>{_TRANSACTION}'
    refusal = f'<fault name="{fault}"><soap:fault name="{fault}" use="literal"/></fault>'
    inner = f'<soap:operation soapAction=""/><input>{both}</input><output>{both}</output>{refusal}'
    return f'<operation name="{name}">{inner}</operation>'


def _binding(name: str, port_type: str, pairs: Pairs, fault: str) -> str:
    transport = '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    inner = "".join(_bound(one, fault) for one, _, _ in pairs)
    return f'<binding name="{name}" type="w:{port_type}">{transport}{inner}</binding>'


def wsdl(dialect: Dialect, address: str) -> str:
    """The document; `address` is where requests are posted to. REL-5 and REL-6-MM7-1-0 have no extended operations."""
    target = quoteattr(_TARGET + dialect.tag)
    xsd = schema.text_for(dialect)
    xsd = xsd[xsd.index("<xs:schema") :]
    to_server = (*_TO_SERVER, *_EXTENDED) if dialect.has_extended else _TO_SERVER
    named = [name for pair in (*to_server, *_TO_VASP) for name in pair[1:]]
    messages = "".join(map(_message, (*named, _SERVER_FAULT, _VASP_FAULT)))
    header = '<message name="TransactionHeader"><part name="TransactionID" element="m:TransactionID"/></message>'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        f" xmlns:m={quoteattr(dialect.namespace)} xmlns:w={target} targetNamespace={target}>"
        f"<types>{xsd}</types>{messages}{header}"
        f"{_port_type('RelayServer', to_server, _SERVER_FAULT)}{_port_type('Vasp', _TO_VASP, _VASP_FAULT)}"
        f"{_binding('RelayServerSoap', 'RelayServer', to_server, _SERVER_FAULT)}"
        f"{_binding('VaspSoap', 'Vasp', _TO_VASP, _VASP_FAULT)}"
        '<service name="Mm7"><port name="RelayServer" binding="w:RelayServerSoap">'
        f"<soap:address location={quoteattr(address)}/></port></service>"
        "</definitions>\n"
    )
