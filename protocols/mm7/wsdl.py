"""The WSDL of what an MMSC offers to VASPs, and of what it sends them (WSDL 1.1; TS 23.140 8.7.8), per namespace."""

from typing import Final
from xml.sax.saxutils import quoteattr

from protocols.mm7 import schema
from protocols.mm7.namespaces import Dialect

_TARGET: Final = "urn:mmsc:mm7:"
_TRANSACTION: Final = '<soap:header message="w:TransactionHeader" part="TransactionID" use="literal"/>'


def _message(name: str) -> str:
    return f'<message name="{name}"><part name="body" element="m:{name}"/></message>'


def _operation(name: str, request: str, response: str) -> str:
    return f'<operation name="{name}"><input message="w:{request}"/><output message="w:{response}"/></operation>'


def _bound(name: str) -> str:
    both = f'<soap:body parts="body" use="literal"/>{_TRANSACTION}'
    inner = f'<soap:operation soapAction=""/><input>{both}</input><output>{both}</output>'
    return f'<operation name="{name}">{inner}</operation>'


def _binding(name: str, port_type: str, operation: str) -> str:
    transport = '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    return f'<binding name="{name}" type="w:{port_type}">{transport}{_bound(operation)}</binding>'


def wsdl(dialect: Dialect, address: str) -> str:
    """The document; `address` is where SubmitReq is posted to."""
    target = quoteattr(_TARGET + dialect.tag)
    xsd = schema.text_for(dialect)
    xsd = xsd[xsd.index("<xs:schema") :]
    messages = "".join(map(_message, ("SubmitReq", "SubmitRsp", "DeliveryReportReq", "DeliveryReportRsp")))
    header = '<message name="TransactionHeader"><part name="TransactionID" element="m:TransactionID"/></message>'
    server = f'<portType name="RelayServer">{_operation("Submit", "SubmitReq", "SubmitRsp")}</portType>'
    report = _operation("DeliveryReport", "DeliveryReportReq", "DeliveryReportRsp")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        f" xmlns:m={quoteattr(dialect.namespace)} xmlns:w={target} targetNamespace={target}>"
        f'<types>{xsd}</types>{messages}{header}{server}<portType name="Vasp">{report}</portType>'
        f"{_binding('RelayServerSoap', 'RelayServer', 'Submit')}{_binding('VaspSoap', 'Vasp', 'DeliveryReport')}"
        '<service name="Mm7"><port name="RelayServer" binding="w:RelayServerSoap">'
        f"<soap:address location={quoteattr(address)}/></port></service>"
        "</definitions>\n"
    )
