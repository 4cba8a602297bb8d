"""What is sent: exact shares, seeded order, requests that the codec reads as they were meant."""

from collections import Counter

import pytest

from mmsc.load.mix import Choice, Mix, counts_of, recipients_of, sizes_of
from mmsc.load.octets import Content, picture
from mmsc.load.target import target_of
from protocols import mm7


def mix_of(namespace: str = mm7.LATEST, seed: int = 1, sizes: str = "200:3,1k:1", counts: str = "1") -> Mix:
    target = target_of(
        "http://127.0.0.1:1/mm7", user="a:b", vasp_id="v&v", vas_id="s", sender="4488", namespace=namespace
    )
    contents = [(picture(choice.value), choice.weight) for choice in sizes_of(sizes)]
    recipients = ["+15550000001", "+15550000002", "a@b.example", "7255"]
    return Mix(target, contents, recipients, counts_of(counts), reports=True, prefix="t", seed=seed)


def decoded(request: bytes) -> mm7.Envelope:
    head, _, body = request.partition(b"\r\n\r\n")
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert int(fields[b"Content-Length"]) == len(body)
    assert fields[b"Authorization"] == b"Basic YTpi"
    found = mm7.decode(fields[b"Content-Type"].decode(), body)
    assert found.findings == ()
    return found.message


@pytest.mark.parametrize("namespace", mm7.TAGS)
def test_every_namespace_is_spoken_as_the_codec_reads_it(namespace: str) -> None:
    request, number, _ = mix_of(namespace, counts="4").request(7)
    envelope = decoded(request)
    message = envelope.message
    assert isinstance(message, mm7.SubmitReq)
    assert envelope.transaction_id == "t-0000000007"
    assert envelope.dialect.tag == namespace
    assert message.vasp_id == "v&v"
    assert message.delivery_report is True
    assert number == 4
    assert sorted(one.value for one in message.to) == ["+15550000001", "+15550000002", "7255", "a@b.example"]
    assert message.sender_address is not None
    assert message.sender_address.value == "4488"


def test_shares_are_exact_and_the_seed_decides_the_order() -> None:
    def lengths(seed: int) -> list[int]:
        mix = mix_of(seed=seed)
        return [len(mix.request(index)[0]) // 600 for index in range(400)]

    first = lengths(1)
    assert sorted(Counter(first).values()) != [400]
    small = min(first)
    assert sum(length <= small + 1 for length in first) >= 300 - 4
    assert first == lengths(1)
    assert first != lengths(2)


def test_recipients_take_turns() -> None:
    mix = mix_of()
    first = [mix.request(index)[2] for index in range(5)]
    assert first[0] == first[4]
    assert len(set(first[:4])) == 4


def test_contents_are_known_again() -> None:
    for content in (picture(30_720), picture(100), Content(b"hi", "text/plain", "a.txt")):
        assert content.is_in(b"head" + content.octets + b"tail")
        assert not content.is_in(content.octets[:-1])
        assert not content.is_in(b"")


def test_sizes_and_numbers() -> None:
    assert sizes_of("5k:50, 30K:40,1m:10") == (Choice(5120, 50), Choice(30720, 40), Choice(2**20, 10))
    assert counts_of("3") == (Choice(3, 1),)


@pytest.mark.parametrize("text", ["", "x", "5k:", "5k:0", "5k:x", "0", "-5", "64m", "5k,,6k", ",".join(["1"] * 17)])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|choices"):
        sizes_of(text)


def test_recipients_from_words() -> None:
    words = ["+15550000001", "+15550000098..+15550000101", "@file"]
    found = recipients_of(words, lambda name: f"# {name}\n7255\n\na@b\n")
    assert found == [
        *("+15550000001", "+15550000098", "+15550000099", "+15550000100", "+15550000101"),
        *("7255", "a@b"),
    ]


@pytest.mark.parametrize(
    "word", ["", "+1..+22", "+5..+1", "a..b", "+1 2", "+00000001..+99999999", "x" * 300, "abc", "+", "+1x"]
)
def test_recipients_that_are_none(word: str) -> None:
    with pytest.raises(ValueError, match=r"recipient|range|neither"):
        recipients_of([word], lambda name: "")


@pytest.mark.parametrize("url", ["", "x", "ftp://a/", "http://", "http://a:x/", "http://a:99999/", "http://a/b c"])
def test_targets_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        target_of(url)
