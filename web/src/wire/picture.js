const LONGEST = 2560;
const HEAVIEST = 4_000_000;
const TAKEN = ["image/jpeg", "image/png", "image/webp"];

/** What somebody dropped is not a picture that this browser can read. */
export class NotAPicture extends Error {}

/**
 * A picture as the gateway takes it: no larger than a backdrop needs, of a type it knows, and
 * without the place where it was taken.
 * @param {Blob} file
 * @returns {Promise<Blob>}
 */
export async function prepare(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new NotAPicture("This file is not a picture that the browser can read.");
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const plain = TAKEN.includes(file.type) && file.type !== "image/jpeg";
  if (scale === 1 && file.size <= HEAVIEST && plain) {
    bitmap.close();
    return file;
  }
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const encoded = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  if (!encoded) throw new NotAPicture("This picture is too large for the browser.");
  return encoded;
}
