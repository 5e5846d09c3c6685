"""Anonymous figures."""

from typing import Final

from omonat.api import demographics
from omonat.api.answers import DemographicsAnswer
from omonat.api.call import Example, Operation

DEMOGRAPHICS: Final = (
    Operation(
        id="demographics",
        method="GET",
        path="/v1/demographics/{ago}",
        summary="Anonymous answers of four weeks, in coarse bands",
        tells="`1` is the newest period that ended a week ago or longer. No number below the policy’s threshold is "
        "shown, nor one from which a hidden number could be computed: those are null. For systems that act for the "
        "owner of L4.",
        handle=demographics.report,
        answer=DemographicsAnswer,
        codes=("statistics-not-yours", "demographics-not-asked", "demographics-not-over"),
        example=Example(
            path={"ago": "1"},
            answer={
                "threshold": 10,
                "reports": [
                    {
                        "question": "relationship.gender",
                        "since": "2026-11-02",
                        "until": "2026-11-30",
                        "cells": {"female": 31, "male": 24},
                        "total": 55,
                        "incomplete": False,
                    }
                ],
            },
        ),
    ),
)
