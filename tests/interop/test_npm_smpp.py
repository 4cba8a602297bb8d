"""npm's smpp on the other side: our SMSC serves its ESME, our ESME is served by its SMSC."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mmsc.clock import Clock
from mmsc.domain.neighbours import Smsc
from mmsc.gateways.sms.esme import Esme
from mmsc.lab.smsc import VirtualSmsc
from mmsc.trace.captures import WireTap
from protocols import smpp
from protocols.smpp import CommandStatus
from tests.tools import needs, needs_npm

pytestmark = pytest.mark.interop

_ESME = """
const smpp = require('smpp');
const session = smpp.connect({url: 'smpp://127.0.0.1:' + process.argv[1]}, () => {
  let receipt = null, said = null;
  const finish = () => {
    if (receipt === null || said === null) return;
    session.unbind({}, (end) => {
      console.log(JSON.stringify([...said, receipt, end.command_status]));
      session.close(); process.exit(0);
    });
  };
  session.on('deliver_sm', (pdu) => { session.send(pdu.response()); receipt = pdu.esm_class; finish(); });
  session.bind_transceiver({system_id: 'mmsc', password: 'secret'}, (bound) => {
    session.submit_sm({destination_addr: '15550100123', dest_addr_ton: 1, dest_addr_npi: 1,
                       short_message: 'hello', registered_delivery: 1}, (sent) => {
      session.enquire_link({}, (alive) => {
        said = [bound.command_status, sent.command_status, sent.message_id, alive.command_status];
        finish();
      });
    });
  });
});
"""
_SMSC = """
const smpp = require('smpp');
const server = smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => session.send(pdu.response({system_id: 'NPM'})));
  session.on('submit_sm', (pdu) => {
    session.send(pdu.response({message_id: 'id-1'}));
    session.deliver_sm({source_addr: pdu.destination_addr, esm_class: 4,
                        short_message: 'id:id-1 sub:001 dlvrd:001 submit date:2601020304 done date:2601020304 stat:DELIVRD err:000 text:'});
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""  # noqa: E501


@contextmanager
def node(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    folder = needs_npm("smpp")
    command = [str(needs("node")), "-e", script, *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return await asyncio.to_thread(process.stdout.readline)


async def test_their_esme_at_our_smsc() -> None:
    smsc = VirtualSmsc({"mmsc": "secret"})
    await smsc.start()
    try:
        with node(_ESME, str(smsc.port)) as process:
            bound, sent, message_id, alive, esm_class, end = json.loads(await line_of(process))
        assert (bound, sent, alive, end) == (0, 0, 0, 0)
        assert message_id == "00000001"
        assert esm_class & 0x04
        assert (await smsc.expect()).text == "hello"
    finally:
        await smsc.stop()


async def test_our_esme_at_their_smsc() -> None:
    with node(_SMSC) as process:
        port = int(await line_of(process))
        received: asyncio.Queue[smpp.DeliverSm | smpp.DataSm] = asyncio.Queue()
        bound = asyncio.Event()

        async def take(pdu: smpp.DeliverSm | smpp.DataSm) -> CommandStatus:
            received.put_nowait(pdu)
            return CommandStatus.ESME_ROK

        esme = Esme(Smsc(name="npm", port=port), take, bound.set, WireTap("smpp", None, Clock()))
        running = asyncio.create_task(esme.run())
        async with asyncio.timeout(20):
            await bound.wait()
            answer = await esme.request(
                smpp.SubmitSm(sequence_number=0, destination_addr="15550100123", short_message=b"hello")
            )
            assert isinstance(answer, smpp.SubmitSmResp)
            assert answer.message_id == "id-1"
            receipt = await received.get()
        assert receipt.esm_class == 4
        await esme.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
