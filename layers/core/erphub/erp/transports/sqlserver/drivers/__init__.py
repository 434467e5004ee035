"""The packages that speak TDS for the hub, each behind the same few words; none of them dials anybody but a guard."""
