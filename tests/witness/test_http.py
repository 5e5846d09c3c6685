"""The witness by HTTP, answer by answer as C2SP tlog-witness says (bar b6)."""

import asyncio
import itertools
from base64 import b64encode
from hashlib import sha256

import httpx

from omonat.evidence.note import COSIGNATURE, Checkpoint, Note, Signer
from omonat.evidence.tree import EMPTY_ROOT
from omonat.witness.memory import Memory
from omonat.witness.rule import LONGEST
from tests.witness.conftest import NAME, ORIGIN, SECOND, START, Clock, FakeLog, key

PLACE = f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


async def add(http: httpx.AsyncClient, body: object) -> httpx.Response:
    return await http.post("/add-checkpoint", content=body if isinstance(body, bytes) else bytes(body))  # type: ignore[call-overload]


def told_size(answer: httpx.Response) -> int:
    assert (answer.status_code, answer.headers["content-type"]) == (409, "text/x.tlog.size"), answer.text
    assert answer.text == f"{int(answer.text)}\n"
    return int(answer.text)


def cosigned(answer: httpx.Response, note: Note, memory: Memory) -> int:
    """The time of the one line that came back, checked."""
    assert answer.status_code == 200, answer.text
    lines = answer.text.splitlines()
    assert [line.split(" ")[:2] for line in lines] == [["—", NAME]]
    checked = Note.parse(f"{note.text}\n{answer.text}".encode()).check([memory.signer.verifier])
    at = checked[memory.signer.verifier]
    assert at is not None
    return at


async def test_S6_a_growing_log_is_cosigned_step_by_step_and_its_newest_checkpoint_is_given_out(
    http: httpx.AsyncClient, log: FakeLog, memory: Memory, clock: Clock
) -> None:
    assert (await http.get(PLACE)).status_code == 404  # nothing cosigned yet
    sizes = [0, 0, 1, 2, 3, 7, 8, 8, 255, 256, 257, 512, 600]
    for old, new in itertools.pairwise(sizes):
        clock.at = type(START)(clock.at + SECOND)
        request = log.request(old, new)
        assert cosigned(await add(http, request), request.note, memory) == clock.at
        kept = await http.get(PLACE)
        note = Note.parse(kept.content)
        assert Checkpoint.parse(note.text) == Checkpoint(ORIGIN, new, log.root(new))
        assert set(note.check([log.signer.verifier, memory.signer.verifier])) == {
            log.signer.verifier,
            memory.signer.verifier,
        }


async def test_S6_another_size_than_the_one_seen_last_is_told_the_right_one(
    http: httpx.AsyncClient, log: FakeLog, memory: Memory
) -> None:
    assert told_size(await add(http, log.request(5, 9))) == 0
    await add(http, log.request(0, 9))
    for old, new in [(0, 9), (0, 20), (8, 20), (10, 20), (5, 7), (0, 0), (8, 9)]:
        assert told_size(await add(http, log.request(old, new))) == 9
    assert cosigned(await add(http, log.request(9, 20)), log.note(20), memory)


async def test_S6_old_sizes_above_the_checkpoint_are_bad_requests(http: httpx.AsyncClient, log: FakeLog) -> None:
    await add(http, log.request(0, 9))
    for old in (10, 2**40):
        assert (await add(http, log.request(old, 9))).status_code == 400


async def test_S6_who_is_not_watched_and_who_did_not_sign(
    http: httpx.AsyncClient, log: FakeLog, memory: Memory
) -> None:
    other = FakeLog(Signer("other.example/log", key(9)))
    assert (await add(http, other.request(0, 5))).status_code == 404
    false = Note(log.note(5).text, ((ORIGIN, log.signer.verifier.id, bytes(64)),))
    stranger = log.note(5, signers=(Signer(ORIGIN, key(7)),))
    as_cosigner = log.note(5, signers=(Signer(ORIGIN, key(1), COSIGNATURE),))
    twice = Note(log.note(5).text, log.note(5).signatures * 2)
    beside_a_false_one = Note(log.note(5).text, (*log.note(5).signatures, *false.signatures))
    for note in (false, stranger, as_cosigner, twice, beside_a_false_one):
        assert (await add(http, log.request(0, 5, note=note))).status_code == 403
    unknown = log.note(5, signers=(Signer("somebody.example", key(8), COSIGNATURE), log.signer, Signer("x", key(7))))
    assert cosigned(await add(http, log.request(0, 5, note=unknown)), unknown, memory)


async def test_S6_what_does_not_follow_is_never_cosigned(http: httpx.AsyncClient, log: FakeLog, memory: Memory) -> None:
    wrong_empty = log.note(0, root=bytes(32))
    assert (await add(http, log.request(0, 0, note=wrong_empty))).status_code == 422
    assert (await add(http, log.request(0, 9, proof=(bytes(32),)))).status_code == 422
    await add(http, log.request(0, 9))
    fork, good = log.forked(4), log.proof(9, 20)
    bad = [
        log.request(9, 9, note=fork.note(9)),  # another root for the same size
        log.request(9, 9, proof=(bytes(32),)),
        log.request(9, 20, note=fork.note(20)),  # a fork with the honest proof
        log.request(9, 20, note=fork.note(20), proof=fork.proof(9, 20)),  # and with its own
        log.request(9, 20, proof=()),
        log.request(9, 20, proof=good[:-1]),
        log.request(9, 20, proof=(*good, bytes(32))),
        log.request(9, 20, proof=good[::-1]),
        log.request(9, 20, proof=(bytes(32), *good[1:])),
        log.request(9, 20, note=log.note(20, root=EMPTY_ROOT)),
        log.request(9, 21, proof=good),
    ]
    for request in bad:
        assert (await add(http, request)).status_code == 422
    assert told_size(await add(http, log.request(0, 9))) == 9
    folder = memory.path / sha256(ORIGIN.encode()).hexdigest()
    assert len(list((folder / "forks").glob("*.shown"))) == 1
    assert len(list((folder / "unproved").glob("*.shown"))) >= 3


async def test_S6_a_request_has_one_spelling(http: httpx.AsyncClient, log: FakeLog) -> None:
    good = bytes(log.request(3, 9))
    first = b64encode(log.proof(3, 9)[0])
    await add(http, log.request(0, 3))
    bodies = [
        b"",
        b"\n",
        b"old 3\n",
        good.replace(b"old 3", b"old 03"),
        good.replace(b"old 3", b"old +3"),
        good.replace(b"old 3", b"old  3"),
        good.replace(b"old 3", b"Old 3"),
        good.replace(b"old 3", b"old -1"),
        good.replace(b"old 3", b"old 3 "),
        good.replace(b"old 3", b"old " + b"9" * 19),
        good.replace(b"old 3\n", b"old 3\r\n"),
        good.replace(b"old 3\n", b"old \xd9\xa3\n"),
        good.replace(b"old 3\n", b""),
        good.replace(first, first.rstrip(b"=")),
        good.replace(first, first[:-2] + b"=="),
        good.replace(first, first + b" "),
        good.replace(first, b64encode(bytes(31))),
        good.replace(first, b64encode(bytes(33))),
        good.replace(b"\n\n", b"\n", 1),
        good.replace(b"\n\n", b"\n\n\n", 1),
        good.rstrip(b"\n"),
        good + b"\n",
        good + b"x",
        good.replace(b"\n9\n", b"\n09\n"),
        good.replace(b"\n9\n", b"\n9.0\n"),
        good.replace("—".encode(), b"-"),
        bytes(log.request(3, 9, proof=(bytes(32),) * 64)),
    ]
    for body in bodies:
        answer = await add(http, body)
        assert answer.status_code in (400, 403), (answer.status_code, body[:60])
    assert (await add(http, bytes(LONGEST + 1))).status_code == 413
    assert (await add(http, good)).status_code == 200
    assert (await add(http, log.request(9, 20, proof=(bytes(32),) * 63))).status_code == 422


async def test_S6_there_is_no_other_door(http: httpx.AsyncClient, log: FakeLog) -> None:
    await add(http, log.request(0, 3))
    assert (await http.get("/add-checkpoint")).status_code == 405
    assert (await http.post(PLACE)).status_code == 405
    for path in ("/", "/key", "/..%2fkey", f"{PLACE}/", PLACE.upper(), PLACE[:-10] + "/seen", "/add-checkpoint/"):
        assert (await http.get(path)).status_code == 404, path
    assert (await http.head(PLACE)).content == b""


async def test_S6_lines_beyond_the_third_are_others_business_and_are_covered_by_the_cosignature(
    http: httpx.AsyncClient, log: FakeLog, memory: Memory
) -> None:
    note = Note.sign(f"{log.note(5).text}extension line\n", (log.signer,), now=START)
    body = b"old 0\n\n" + str(note).encode()
    assert cosigned(await add(http, body), note, memory)


async def test_S6_the_time_never_goes_back(http: httpx.AsyncClient, log: FakeLog, memory: Memory, clock: Clock) -> None:
    first = cosigned(await add(http, log.request(0, 5)), log.note(5), memory)
    clock.at = type(START)(START - 3600 * SECOND)
    assert cosigned(await add(http, log.request(5, 6)), log.note(6), memory) == first
    clock.at = type(START)(0)
    assert cosigned(await add(http, log.request(6, 6)), log.note(6), memory) == first  # and is never zero


async def test_S6_of_two_histories_offered_at_once_one_is_cosigned(
    http: httpx.AsyncClient, log: FakeLog, memory: Memory
) -> None:
    await add(http, log.request(0, 50))
    histories = [log.forked(at) for at in range(51, 71)]
    answers = await asyncio.gather(*(add(http, one.request(50, 80)) for one in histories * 5))
    roots = {one.root(80) for one, answer in zip(histories * 5, answers, strict=True) if answer.status_code == 200}
    assert len(roots) == 1
    assert all(answer.status_code in (200, 409) for answer in answers)
