"""A service and a witness beside it, each as its operator runs it; and everything accounts for everything (S6, A1)."""

import http.client
import signal
import subprocess
import sys
from pathlib import Path

from tests.ports import free_port
from tests.whole import witness
from tests.whole.lines import one_to_each, ordered
from tests.whole.serving import ROOT, Installation, serving, until


def omonat(of: Installation, *words: str, port: int = 1) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "omonat", *words], env=of.environment(port), capture_output=True, text=True, check=False
    )


def newest(port: int) -> bytes:
    """The newest checkpoint, as it is given out."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/log/checkpoint", headers={"Host": f"localhost:{port}"})
    answer = connection.getresponse()
    assert answer.status == 200
    return answer.read()


def test_S6_a_running_service_is_cosigned_by_a_running_witness(installation: Installation, tmp_path: Path) -> None:
    folder, port = tmp_path / "witness", free_port()
    made = omonat(installation, "witness", "init", "witness.example/w1", "--folder", str(folder))
    assert made.returncode == 0, made.stderr
    vkey = made.stdout.strip()
    assert omonat(installation, "witness", "trust", installation.keys[0], "--folder", str(folder)).returncode == 0
    words = [sys.executable, "-m", "omonat", "witness", "serve", "--folder", str(folder), "--port", str(port)]
    beside = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        with serving(installation, WITNESSES=f"{vkey} http://127.0.0.1:{port}") as service:
            lines = one_to_each(service)
            ordered(lines[0], installation, "order:seen-1")
            for line in lines:
                used = line.use(installation.credentials["site"], purpose="deliver-order", case="order:seen-1")
                assert used.status == 200, used.body
            log = installation.home / "log"
            until((log / "checkpoint.witnessed").exists, 20, service.said)
            until(lambda: verified(installation, vkey) == 0, 20, service.said)

            until(lambda: b"witness.example/w1" in newest(service.port), 20, service.said)  # none signed just now

            accounted = omonat(installation, "evidence", "reconcile", port=service.port)
            assert accounted.returncode == 0, accounted.stdout + accounted.stderr
            for line in lines:
                line.close()
    finally:
        beside.send_signal(signal.SIGINT)
        beside.wait(10)
    shown = omonat(installation, "witness", "show", "--folder", str(folder))
    assert installation.keys[0].partition("+")[0] in shown.stdout
    status, said = witness.verify(installation)
    assert status == 0, said


def verified(of: Installation, vkey: str) -> int:
    words = [str(of.home / "log"), "--witness", vkey, *(word for key in of.keys for word in ("--key", key))]
    return subprocess.run(
        [sys.executable, "-I", str(witness.VERIFIER), *words], capture_output=True, check=False
    ).returncode


def test_S6_a_witness_that_is_not_one_is_refused_at_the_start(installation: Installation) -> None:
    environment = installation.environment(1, WITNESSES="a+b+c http://w.example")
    words = [sys.executable, "-m", "omonat", "evidence", "reconcile"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "witness" in done.stderr) == (2, True), done.stderr
