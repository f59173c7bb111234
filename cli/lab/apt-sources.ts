/**
 * The text of an apt sources file with a `deb-src` beside every `deb`, so that source packages can be downloaded. Pure.
 * Entries on a CD are dropped: a fresh installation often has one, and apt stops at it to ask for the disc.
 *
 * @param name the file's name: `*.sources` is deb822, anything else has one entry a line (sources.list(5))
 */
export function withSourceEntries(name: string, text: string): string {
  return name.endsWith('.sources') ? deb822(text) : oneLine(text);
}

/** Stanzas: `Types: deb` becomes `Types: deb deb-src`. A stanza that is switched off stays off. */
function deb822(text: string): string {
  return text.replace(/^Types:[ \t]*(.*)$/gim, (field, value: string) => {
    const types = value.trim().split(/\s+/);
    return types.includes('deb') && !types.includes('deb-src') ? `${field.trimEnd()} deb-src` : field;
  });
}

function oneLine(text: string): string {
  const kept = text.split('\n').filter((line) => !/^\s*deb(-src)?\s[^#]*\bcdrom:/.test(line));
  const entries = new Set(kept.map(withoutComment));
  return kept
    .flatMap((line) => {
      const source = withoutComment(line).replace(/^deb(?=\s)/, 'deb-src');
      // Said already, or no `deb` line: apt warns about an entry that stands twice.
      return entries.has(source) ? [line] : [line, source];
    })
    .join('\n');
}

function withoutComment(line: string): string {
  return line.replace(/#.*$/, '').trim().replace(/\s+/g, ' ');
}
