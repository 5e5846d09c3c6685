"""Anonymous figures, for systems of those who answer for quality (L4, X3)."""

from omonat.api.answers import DemographicsAnswer, DemographicsReport, encode
from omonat.api.call import Call


async def report(call: Call) -> bytes:
    """What may be seen of four whole weeks."""
    reports = await call.ports.demographics.report_for(call.caller, periods_ago=int(call.names["ago"]))
    policy = await call.ports.law.current()
    asked = policy.policy.demographics
    return encode(
        DemographicsAnswer(
            threshold=0 if asked is None else asked.threshold,
            reports=[
                DemographicsReport(
                    question=one.question,
                    since=one.since.isoformat(),
                    until=one.until.isoformat(),
                    cells={cell.answer: cell.times for cell in one.cells},
                    total=one.total,
                    incomplete=one.incomplete,
                )
                for one in reports
            ],
        )
    )
