/** A word that Offpeak's texts, names and comments do without, and what to say in its place. docs/glossary.md shows the same list. */
interface BannedWord {
  /** As docs/glossary.md writes it. */
  readonly word: string;
  /** Tried against text in lower case, in which `camelCase` is two words. */
  readonly pattern: RegExp;
  readonly instead: string;
}

export const BANNED_WORDS: readonly BannedWord[] = [
  { word: 'whoever', pattern: /\bwhoever\b/, instead: 'the job that …, the person who …' },
  { word: 'nobody', pattern: /\bnobody\b/, instead: 'no person, no job; or turn the sentence round' },
  { word: 'somebody', pattern: /\bsomebody\b/, instead: 'a person, another job' },
  { word: 'stranger', pattern: /\bstrangers?\b/, instead: 'another person, foreign' },
  { word: 'told, untold', pattern: /\b(un)?told\b/, instead: 'reported, sent, says' },
  { word: 'ours', pattern: /\bours\b/, instead: "Offpeak's, the job's" },
  { word: 'our defrag, our lease, our settings', pattern: /\bour (defrag|leases?|settings)\b/, instead: "Offpeak's …" },
  { word: 'is no …', pattern: /(?<!\bthere )\bis no (?!longer\b|more\b)/, instead: 'is not a …' },
  // `action-ineffective` is the name of an event, to which people's filters and links go.
  { word: 'cure', pattern: /\bcur(e|es|ed|ing)\b/, instead: 'action' },
  { word: 'hole', pattern: /\bholes?\b/, instead: 'external fragmentation' },
  { word: 'retained pages', pattern: /\bretained pages?\b/, instead: 'free pages' },
  {
    word: 'give back',
    pattern: /\bg(ive|ives|iven|iving|ave) (\w+ ){0,2}back\b/,
    instead: 'restore (settings), return (memory)',
  },
  { word: 'set aside', pattern: /\baside\b/, instead: 'quarantine' },
  { word: 'stranded', pattern: /\bstranded\b/, instead: 'displaced, orphaned' },
  { word: 'homes', pattern: /\bhomes\b/, instead: 'placements' },
  { word: 'memories', pattern: /\bmemories\b/, instead: 'node history' },
  { word: 'tend', pattern: /\btend(s|ed|ing)?\b/, instead: 'reconcile, check, act on' },
  { word: 'visit', pattern: /\bvisit(s|ed|ing)?\b/, instead: 'check; the type is NodeContext' },
  {
    word: 'a look, the looks (a noun)',
    pattern: /\b(a|the|two|both|first|second|third|last|next|later|each|every|own|more|between|of) looks?\b/,
    instead: 'check, observation',
  },
  { word: 'blind', pattern: /\bblind(ly)?\b/, instead: 'without the store' },
  { word: 'entrust', pattern: /\bentrust\w*/, instead: 'enqueue, store' },
  { word: 'owed', pattern: /\bow(e|es|ed)\b/, instead: 'pending' },
  { word: 'deed', pattern: /\bdeeds?\b/, instead: 'action, effect' },
  { word: 'mend', pattern: /\bmend(s|ed|ing)?\b/, instead: 'fix' },
  { word: 'befall', pattern: /\b(befall(s|en)?|befell)\b/, instead: 'happen to' },
  { word: 'shall', pattern: /\bshall\b/, instead: 'must, should' },
  { word: 'in vain', pattern: /\bin vain\b/, instead: 'without effect' },
  {
    word: 'lest, whence, henceforth, therein, thereof',
    pattern: /\b(lest|whence|henceforth|therein|thereof)\b/,
    instead: 'a word of today',
  },
];

/** `isTold` and `is_told` as a reader says them: `is told`. */
function spoken(line: string): string {
  return line
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}

export function bannedIn(line: string): readonly BannedWord[] {
  const text = spoken(line);
  return BANNED_WORDS.filter(({ pattern }) => pattern.test(text));
}
