import { html, type Markup } from './markup.ts'
import { style } from './style.ts'

/** One file that needs no other: it opens from a disk, in light and dark. */
export function page(title: string, body: Markup): string {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${style}
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
  return text
}
