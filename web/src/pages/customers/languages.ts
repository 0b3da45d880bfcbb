/** Languages that documents can be in (platform §1). */
export const LANGUAGES = ["en", "de", "es", "fr", "it", "ja", "nb", "pt-BR", "sv", "zh-TW"] as const;
