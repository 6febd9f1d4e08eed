// Pictures from a drop, the clipboard or a file, as the server takes them.
import type { Picture } from './types'

const KINDS = ['image/png', 'image/jpeg', 'image/webp', 'image/gif']
const MAX_MIB = 20
export const MAX_PICTURES = 16

/** Read a picture, or throw in words. */
export async function readPicture(file: File): Promise<Picture> {
  const name = file.name || 'pasted picture'
  if (!KINDS.includes(file.type)) throw new Error(`\`${name}\` is ${file.type || 'of an unknown kind'}; the model sees PNG, JPEG, WEBP and GIF`)
  if (file.size > MAX_MIB * 2 ** 20) throw new Error(`\`${name}\` has ${Math.round(file.size / 2 ** 20)} MiB; at most ${MAX_MIB} are taken`)
  let size: { width: number; height: number }
  try {
    const bitmap = await createImageBitmap(file)
    size = { width: bitmap.width, height: bitmap.height }
    bitmap.close()
  } catch {
    throw new Error(`\`${name}\` cannot be opened as a picture; it may be damaged`)
  }
  return { name, data: await dataUrl(file), ...size }
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(reader.result as string)
    reader.onerror = () => reject(new Error(`\`${file.name}\` cannot be read`))
    reader.readAsDataURL(file)
  })
}

export function picturesIn(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'))
}
