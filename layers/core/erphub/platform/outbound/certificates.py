"""Why a server's certificate is not trusted, in the hub's own words: OpenSSL's are those of its version.

Source: OpenSSL's `x509_vfy.h` (X509_V_ERR_…), the codes of which Python gives as `verify_code`.
"""

from collections.abc import Mapping

_WHY: Mapping[int, str] = {
    **dict.fromkeys((2, 20, 21), "who issued it is not known"),
    **dict.fromkeys((7, 4, 6), "its signature is not right"),
    9: "it is not valid yet",
    10: "it has expired",
    18: "the server made it out to itself",
    19: "the authority at its end is none that is trusted",
    **dict.fromkeys((22, 24, 25, 32, 37, 79), "one that issued it may issue none"),
    23: "it was revoked",
    **dict.fromkeys((26, 27, 28), "it is not one for servers"),
    **dict.fromkeys((62, 64), "it is made out to another name"),
    **dict.fromkeys((66, 67), "a key in its chain is too short"),
    68: "it is signed in a way that is no longer safe",
}
_OTHERWISE = "it does not hold against the authorities that are trusted"


def why_not_trusted(verify_code: int) -> str:
    """What is wrong with a certificate, as part of a sentence: `it has expired`."""
    return _WHY.get(verify_code, _OTHERWISE)
