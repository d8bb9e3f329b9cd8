// What `gateway.bench.card` does, in the page: pictures on their way to Python cost more time than a
// frame has. `CARD` comes before this and holds the card's measures.

// Draws the cells alone, four pixels each, and compares the middles of each pair; -1 where no number
// can be read for sure.
function readCard(context, picture, width, height) {
    const { left, top, right, bottom, columns, rows } = CARD;
    const wide = (right - left) * width, tall = (bottom - top) * height;
    context.drawImage(picture, left * width, top * height, wide, tall, 0, 0, 4 * columns, 4 * rows);
    const { data } = context.getImageData(0, 0, 4 * columns, 4 * rows);
    const mean = (column, row) => {
        let sum = 0;
        for (const y of [1, 2]) for (const x of [1, 2]) {
            const at = 4 * ((4 * row + y) * 4 * columns + 4 * column + x);
            sum += data[at] + data[at + 1] + data[at + 2];
        }
        return sum / 12;
    };
    let word = 0;
    for (let row = 0; row < rows; row += 1) for (let column = 0; column < columns; column += 2) {
        const difference = mean(column, row) - mean(column + 1, row);
        if (Math.abs(difference) < CARD.faintest) return -1;
        word = (word << 1) | (difference > 0 ? 1 : 0);
    }
    let register = CARD.seed;
    for (const byte of [(word >> 16) & 0xff, (word >> 8) & 0xff]) {
        register ^= byte;
        for (let bit = 0; bit < 8; bit += 1)
            register = ((register << 1) ^ (register & 0x80 ? CARD.polynomial : 0)) & 0xff;
    }
    return register === (word & 0xff) ? word >> 8 : -1;
}

function cardContext() {
    const canvas = new OffscreenCanvas(4 * CARD.columns, 4 * CARD.rows);
    return canvas.getContext("2d", { willReadFrequently: true });
}

// Numbers and moments (milliseconds of the page's clock) of every frame that the video paints from
// now on; `moment` names one of `VideoFrameCallbackMetadata`.
function watchCard(video, moment) {
    const sights = [], context = cardContext();
    const look = (now, frame) => {
        video.requestVideoFrameCallback(look);
        const number = readCard(context, video, frame.width, frame.height);
        sights.push([number, frame[moment] ?? now]);
    };
    video.requestVideoFrameCallback(look);
    return sights;
}
