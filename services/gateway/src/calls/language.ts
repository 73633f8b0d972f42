import type { Language } from '@qunxin/contracts'

/** Chinese as in seed A; English when `Accept-Language` prefers it. Of two with the same weight the first named wins. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const best: { language: Language; weight: number } = { language: 'zh', weight: 0 }
  for (const range of acceptLanguage?.slice(0, 256).split(',') ?? []) {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';')
    const language = tag.split('-')[0]
    if (language !== 'zh' && language !== 'en') continue
    const quality = parameters.find((parameter) => parameter.trim().startsWith('q='))
    const weight = quality === undefined ? 1 : Number(quality.trim().slice(2)) || 0
    if (weight > best.weight) Object.assign(best, { language, weight })
  }
  return best.language
}
