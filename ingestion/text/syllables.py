"""Which words are well-formed Vietnamese syllables, each with its tone in a place where it is written.

Belongs here: spelling rules of the language, as data. Does not belong here: text cleaning or what is done with a word.
Used to tell whether a text was decoded rightly: a wrong decoding hardly ever gives syllables.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Kr, pl and the like, and a final k, stand in names of the highlands (Krông Pắk).
_ONSET_TABLE = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph q r s t th tr v x kr pl bl dr br gr đr kl f j w z"
_RIME_TABLE = (
    "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt ăk ak âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu "
    "o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong oong ooc "
    "op ot ok ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê uêch uênh ui uơi um un ung uôc uôi "
    "uôm uôn uông uôt up ut uơ uy uya uych uyên uyêt uynh uyt uyu uyn uk ư ưa ưc ưi ưm ưng ươc ươi ươm ươn ương ươp "
    "ươt ươu ưt ưu y yêm yên yêng yêt yêu êng iêk ôk êk "
    "ua uai uan uang uanh uao uat uay uac uach uau uăc uăm uăn uăng uăt ue uen ueo uet uên uêt uit uich uinh uôc"
)
_ONSETS = ("", *_ONSET_TABLE.split())
_RIMES = _RIME_TABLE.split()
TONES = ("\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
_STOPS = ("c", "ch", "p", "t", "k")
_MARKED = "ăâêôơư"
_VOWELS = "aeiouy" + _MARKED


def _tone_places(onset: str, rime: str) -> set[int]:
    """Positions in the rime that may carry the tone."""
    vowels = [i for i, letter in enumerate(rime) if letter in _VOWELS]
    if onset == "q" and rime.startswith("u") and len(vowels) > 1:
        vowels = vowels[1:]
    marked = [i for i in vowels if rime[i] in _MARKED]
    if marked:
        return {marked[-1]}
    closed = rime[-1] not in _VOWELS
    if len(vowels) == 1:
        return set(vowels)
    if closed:
        return {vowels[-1]}
    if len(vowels) == 2:
        return set(vowels) if rime in ("oa", "oe", "uy", "ue") else {vowels[0]}
    return {vowels[1]}


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    known: set[str] = set()
    for onset in _ONSETS:
        for rime in _RIMES:
            stop = rime.endswith(_STOPS)
            for tone in ("", *TONES):
                if stop and tone not in ("", "\u0301", "\u0323"):
                    continue
                for place in _tone_places(onset, rime):
                    word = onset + rime[: place + 1] + tone + rime[place + 1 :]
                    known.add(unicodedata.normalize("NFC", word))
    for tone in ("", *TONES):  # gì, gìn, giếng: the i belongs to both onset and rime
        known |= {unicodedata.normalize("NFC", f"gi{tone}{end}") for end in ("", "n", "p", "m", "t")}
        known |= {unicodedata.normalize("NFC", f"giê{tone}{end}") for end in ("ng", "c", "t", "n")}
    return frozenset(known)


def is_syllable(word: str) -> bool:
    """Whether an NFC word, in any case, is a well-formed syllable; a stop final without tone is let pass."""
    return word.lower() in _known()
