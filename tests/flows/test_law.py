"""The law as processes know it: whoever made a version holds what all others compile from its kept form (P1)."""

from omonat.flows.law import Law
from omonat.flows.publish_policy import Publication
from omonat.policy.printer import as_json, digest_of
from tests.flows.conftest import Shop, packs, without_newsletter


async def test_P1_the_process_that_publishes_holds_what_every_other_one_reads(shop: Shop) -> None:
    ours = shop.house.grounds.law
    second = without_newsletter()
    await shop.house.publish(Publication(document=second, packs=packs(), author="staff:1", approver="staff:2"))

    theirs = Law(shop.house.grounds.database)
    await theirs.reload()

    assert [law.version for law in theirs.history()] == [law.version for law in ours.history()] == ["1", "2"]
    for here, there in zip(ours.history(), theirs.history(), strict=True):
        assert here.digest == there.digest == digest_of(there.policy)
        assert here.policy == there.policy
        assert here.packs == there.packs
        assert here.tables.recipients == there.tables.recipients
        assert [here.keeping(name) for name in here.services] == [there.keeping(name) for name in there.services]
        assert here.ordinal == there.ordinal


async def test_P1_what_was_made_counts_only_if_it_is_what_stands_there(shop: Shop) -> None:
    ours = shop.house.grounds.law
    (first,) = ours.history()
    fresh = Law(shop.house.grounds.database)
    fresh.note_made(as_json(first.policy) + " ", packs(), first)

    await fresh.reload()

    (read,) = fresh.history()
    assert read is not first
    assert read.policy == first.policy
