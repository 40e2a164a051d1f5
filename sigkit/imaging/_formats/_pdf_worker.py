"""The process that reads a PDF file from standard input; `_pdf.py` starts it as a script, not as a part of sigkit.

It writes the number of pages and the size of one as JSON, or its pixels at 300 dpi as red, green and blue.
"""

import json
import math
import sys

# A little less than 300 / 72, because sizes are rounded up.
_SCALE = 4.16666


def limit(n_bytes, seconds):
    """Limit the memory that is taken from now on, and the processor time, where the system can."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + n_bytes, taken + n_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        # Windows has no limits, macOS none of the memory.
        pass


def main(folder, page, n_pixel_bytes, n_bytes, seconds):
    sys.path.append(folder)
    import pypdfium2

    content = sys.stdin.buffer.read()
    limit(int(n_bytes), int(seconds))
    page = int(page)
    document = pypdfium2.PdfDocument(content)
    if not int(n_pixel_bytes):
        n_pages = len(document)
        sides = document.get_page_size(page) if page < n_pages else (0, 0)
        size = [math.ceil(side * _SCALE) if math.isfinite(side) else 0 for side in sides]
        sys.stdout.write(json.dumps({"pages": n_pages, "size": size}))
        return
    # Signatures in the fields of a form are drawn by the form.
    document.init_forms()
    bitmap = document[page].render(scale=_SCALE, rev_byteorder=True)
    rows = memoryview(bitmap.buffer)
    for top in range(bitmap.height):
        sys.stdout.buffer.write(rows[top * bitmap.stride : top * bitmap.stride + 3 * bitmap.width])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except MemoryError:
        sys.exit(3)
    except Exception as error:
        sys.exit(str(error))
