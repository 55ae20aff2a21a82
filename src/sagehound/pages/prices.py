"""What AWS charges for a training on its machines."""

from __future__ import annotations

#: When the prices below were last known to be those of the list.
AS_OF = "January 2025"
#: Where they hold.
REGION = "us-east-1"

#: US dollars an hour: SageMaker training, on-demand list price as known at AS_OF in REGION, without storage and
#: transfer, savings plans and managed spot. Source: the pricing page of SageMaker, section Training. In November 2026
#: the page itself could not be asked. Tables that other projects keep of it (2024 to 2026) have the same prices of t3,
#: m5, c5, p3, g4dn and g5; of m4.xlarge (0.24 or 0.28) and p4d.24xlarge (25.25 to 37.69) they differ.
USD_PER_HOUR = {
    "ml.t3.medium": 0.05,
    "ml.t3.large": 0.10,
    "ml.t3.xlarge": 0.20,
    "ml.t3.2xlarge": 0.399,
    "ml.m4.xlarge": 0.24,
    "ml.m4.2xlarge": 0.48,
    "ml.m4.4xlarge": 0.96,
    "ml.m4.10xlarge": 2.40,
    "ml.m4.16xlarge": 3.84,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.m5.12xlarge": 2.765,
    "ml.m5.24xlarge": 5.53,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "ml.c5.9xlarge": 1.836,
    "ml.c5.18xlarge": 3.672,
    "ml.p3.2xlarge": 3.825,
    "ml.p3.8xlarge": 14.688,
    "ml.p3.16xlarge": 28.152,
    "ml.p4d.24xlarge": 37.688,
    "ml.g4dn.xlarge": 0.736,
    "ml.g4dn.2xlarge": 0.94,
    "ml.g4dn.4xlarge": 1.505,
    "ml.g4dn.8xlarge": 2.72,
    "ml.g4dn.12xlarge": 4.89,
    "ml.g4dn.16xlarge": 5.44,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.8xlarge": 3.06,
    "ml.g5.12xlarge": 7.09,
    "ml.g5.16xlarge": 5.12,
    "ml.g5.24xlarge": 10.18,
    "ml.g5.48xlarge": 20.36,
}


def usd(instance_type: str, seconds: float, hosts: int = 1) -> float | None:
    """What so many seconds on so many machines cost, in US dollars; None where the type's price is not known here.

    >>> usd("ml.m5.xlarge", 3600, 2), usd("ml.unheard.of", 3600)
    (0.46, None)
    """
    price = USD_PER_HOUR.get(instance_type)
    return None if price is None else price * max(seconds, 0.0) / 3600 * hosts
