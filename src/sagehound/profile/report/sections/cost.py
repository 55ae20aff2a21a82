"""What the job took here, and what AWS would have charged for it."""

from __future__ import annotations

from sagehound.pages.markup import Child, Html
from sagehound.pages.pieces import note, section, table
from sagehound.pages.prices import AS_OF, REGION, USD_PER_HOUR, usd
from sagehound.pages.units import duration
from sagehound.profile.report.material import Material


def cost(material: Material) -> Html:
    """Seconds here; dollars there, where the type's price is known."""
    job, seconds = material.profile.job, material.course.length_s
    rows: list[list[Child]] = [
        ["Seconds here", f"{seconds:,.1f} s on {len(job.hosts)} host{'s' * (len(job.hosts) != 1)}"]
    ]
    charged = usd(job.instance_type, seconds, len(job.hosts))
    kind = job.instance_type or "unknown"
    if charged is None:
        rows.append(["On AWS", f"not known: there is no price for instance type {kind} in this version's table"])
        return section("cost", "Cost", table("Cost of the job", ("What", "Value"), rows, numbers=range(0)))
    rows += [
        ["Price", f"{USD_PER_HOUR[kind]:.3f} USD an hour for {kind}"],
        ["On AWS", f"{_dollars(charged)} for as many seconds"],
    ]
    won = sum(each.gain_s or 0.0 for each in material.worth_most[:1])
    less = usd(job.instance_type, won, len(job.hosts))
    if won > 0 and less:
        rows.append(["The first change", f"{duration(won)} less, {_dollars(less)}"])
    return section(
        "cost",
        "Cost",
        table("Cost of the job", ("What", "Value"), rows, numbers=range(0)),
        note(
            f"An estimate by the table that comes with this version: on-demand list prices of {AS_OF}, {REGION}, "
            "without storage and transfer. AWS's pricing page has today's. A machine of this type is not as fast as "
            "the one here: the seconds would differ."
        ),
    )


def _dollars(value: float) -> str:
    return f"{value:,.2f} USD" if value >= 1 else f"{value:.4f} USD"
