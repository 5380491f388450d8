"""`python -m drain.monitoring.exports` writes the files of deploy/ anew."""

from __future__ import annotations

from drain.monitoring.exports.files import FILES

for path, text_of in FILES.items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(), "utf-8")
    print(path)
