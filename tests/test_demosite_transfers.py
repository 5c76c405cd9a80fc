"""How the demo site's server counts its transfers."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.client import IncompleteRead

import pytest
from demosite_samples import AGENT, CONTENT, NAME, ask, connected, folder_of_one_file, one_server, untroubled_site  # noqa: F401 fixtures

from cli.demosite import faults
from cli.demosite.faults import Fault
from cli.demosite.ledger import Ledger
from cli.demosite.server import serve
from cli.demosite.site import Site


class SlowLedger(Ledger):
    """A ledger that takes its time to count a transfer out."""

    def dismiss(self) -> None:
        time.sleep(0.05)
        super().dismiss()


class TestTransfers:
    @staticmethod
    def ask_at_once(site: Site, readers: int) -> list[int]:
        with ThreadPoolExecutor(readers) as pool:
            return sorted(pool.map(lambda _: ask(site)[0].status, range(readers)))

    def test_the_most_at_once_is_counted(self, site):
        """Four slow readers are four transfers at once, and one after the other they are one."""
        site.misbehave(Fault("*", faults.Slow(len(CONTENT) / 0.3)))
        assert self.ask_at_once(site, 4) == [200] * 4
        site.behave()
        ask(site)
        assert site.most_at_once == 4
        site.forget()
        for _ in range(3):
            ask(site)
        assert site.most_at_once == 1

    def test_only_transfers_count(self, site):
        """HEAD and errors are no transfers, however slowly they are answered."""
        site.misbehave(Fault("*", faults.Together((faults.NotFound(), faults.Stall(0.05)))))
        self.ask_at_once(site, 3)
        ask(site, method="HEAD")
        assert site.most_at_once == 0

    def test_past_the_limit_is_503(self, site):
        """Of five readers at once three are served and two are turned away; afterwards there is room again."""
        site.misbehave(Fault("*", faults.Together((faults.Slow(len(CONTENT) / 0.5), faults.AtMost(3, retry_after=1)))))
        assert self.ask_at_once(site, 5) == [200, 200, 200, 503, 503]
        assert site.most_at_once == 3
        site.misbehave(Fault("*", faults.AtMost(3)))
        assert self.ask_at_once(site, 3) == [200, 200, 200]

    def test_the_limit_may_answer_429(self, site):
        """Past the limit the status and Retry-After are the ones asked for."""
        site.misbehave(Fault("*", faults.AtMost(0, HTTPStatus.TOO_MANY_REQUESTS, retry_after=9)))
        response, _ = ask(site)
        assert (response.status, response.headers["Retry-After"]) == (429, "9")

    def test_a_polite_client_is_never_past_the_limit(self, folder):
        """A reader who has the last byte of one transfer never finds it still counted at the next."""
        with serve(folder, [Fault("*", faults.AtMost(1))]) as site:
            site.ledger = SlowLedger()
            assert [ask(site)[0].status for _ in range(3)] == [200, 200, 200]
            assert site.most_at_once == 1

    def test_a_client_that_leaves_gives_its_place_back(self, folder, capsys):
        """A reader that hangs up in the middle frees its transfer without a word on stderr."""
        with serve(folder, [Fault("*", faults.Together((faults.Slow(20_000), faults.AtMost(1))))]) as site:
            connection = connected(site)
            connection.request("GET", f"/{NAME}", headers={"User-Agent": AGENT})
            begun = connection.getresponse()
            begun.read(1)
            assert ask(site)[0].status == 503
            begun.close()
            connection.close()
            site.misbehave(Fault("*", faults.AtMost(1)))
            deadline = time.monotonic() + 5
            while (status := ask(site)[0].status) == 503 and time.monotonic() < deadline:
                time.sleep(0.02)
        assert status == 200
        assert capsys.readouterr().err == ""

    def test_a_file_that_becomes_shorter_ends_its_transfer(self, tmp_path, capsys):
        """What was announced cannot come any more: the connection closes, and nobody waits for it."""
        (tmp_path / "file").write_bytes(CONTENT)
        with serve(tmp_path, [Fault("*", faults.Slow(len(CONTENT)))]) as site:
            connection = connected(site)
            connection.request("GET", "/file", headers={"User-Agent": AGENT})
            begun = connection.getresponse()
            os.truncate(tmp_path / "file", 0)
            with pytest.raises(IncompleteRead):
                begun.read()
            connection.close()
        assert capsys.readouterr().err == ""
