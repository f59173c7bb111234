// CHANGELOG.md in the form of keepachangelog.com: one `## [x]` for each version, the newest first, and `## [Unreleased]` above them.

export const UNRELEASED = '[Unreleased]';

/** What stands under a version's heading; undefined where there is no such heading. */
export function sectionOf(changelog: string, name: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.startsWith(name));
  return section?.slice(section.indexOf('\n')).trim();
}
