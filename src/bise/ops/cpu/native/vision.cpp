// The order of work of the eye: rows of all pictures in chunks, attention picture by picture.
#include "vision.h"

#include <cmath>
#include <cstdlib>
#include <new>

#include "attention.h"
#include "isa.h"
#include "over_rows.h"
#include "rows.h"
#include "turns.h"
#include "vision_room.h"
#include "vision_rows.h"

namespace bise {

namespace {

constexpr int64_t PRODUCTS_A_ROW = 1 << 24;  // of queries with keys, that take as long as a row

struct Block {
    uint8_t* start;

    explicit Block(int64_t bytes)
        : start(static_cast<uint8_t*>(std::aligned_alloc(64, size_t(bytes + 63) / 64 * 64))) {
        if (!start) throw std::bad_alloc();
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    ~Block() { std::free(start); }
};

// Call body(first, count) for all rows, a turn for each chunk. Chunks are of nearly the same size:
// the last must not be one of those few rows whose products have kernels of their own.
template <class F>
void in_turns(const EyeRoom& room, int64_t rows, F&& body) {
    const int64_t chunks = (rows + room.chunk_rows - 1) / room.chunk_rows;
    for (int64_t i = 0, first = 0; i < chunks; ++i) {
        const int64_t end = i + 1 == chunks ? rows : (i + 1) * rows / chunks / 32 * 32;
        const Turn mine;
        body(first, end - first);
        first = end;
    }
}

// What is on a patch, as the first layer gets it.
void begin(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count) {
    const int64_t width = eye.channels * eye.patch * eye.patch;
    float* stream = room.stream + first * eye.dim;
    cut(eye, room, first, count, room.wide);
    const Product made = {&eye.pixels, stream, eye.dim};
    products({room.wide, count, width, width}, &made, 1);
    rms_norm(stream, eye.dim, count, eye.dim, eye.norm, eye.norm_eps, stream, eye.dim);
}

// Queries, keys and values of some patches, each to where its head looks.
void ask(const Eye& eye, const VisionBlock& block, const EyeRoom& room, int64_t first,
         int64_t count) {
    const int64_t dim = eye.dim, stride = 3 * dim, pairs = room.head_dim / 2;
    float *query = room.wide, *key = query + dim, *value = key + dim;
    rms_norm(room.stream + first * dim, dim, count, dim, block.attention_norm, eye.norm_eps,
             room.normed, dim);
    const Product all[] = {
        {&block.q, query, stride}, {&block.k, key, stride}, {&block.v, value, stride}};
    products({room.normed, count, dim, dim}, all, 3);
    for (float* turning : {query, key})
        rotate(turning, stride, count, eye.heads, room.head_dim, room.head_dim,
               room.cos + first * pairs, room.sin + first * pairs);
    deal(eye, room, first, count, room.wide);
}

// All patches of a picture look at all of them: one token at the last position, which sees
// everything, with a span of queries as its heads. Some heads of the eye at a time.
void look(const Eye& eye, const EyeRoom& room, const Place& place) {
    const int64_t width = room.head_dim;
    const int64_t products_a_head = place.count * place.count * width * 2;
    const int64_t together = std::clamp<int64_t>(
        room.chunk_rows * PRODUCTS_A_ROW / products_a_head, 1, eye.heads);
    const Cache cache = {room.type, place.entries, nullptr, place.page_tokens, 2 * width};
    const GroupedShape shape = {place.span_rows, 1, width, 1.0f / std::sqrt(float(width))};
    std::vector<int64_t> pages(eye.heads);
    std::vector<Span> spans;
    for (int64_t head = 0; head < eye.heads; ++head) {
        pages[head] = head;
        for (int64_t i = 0; i < place.num_spans; ++i)
            spans.push_back({place.count - 1, 1, &pages[head]});
    }
    for (int64_t head = 0; head < eye.heads; head += together) {
        const Turn mine;
        const int64_t some = std::min(together, eye.heads - head);
        const int64_t at = head * place.query_rows() * width;
        grouped_attention(shape, cache, &spans[head * place.num_spans], some * place.num_spans,
                          place.query + at, place.seen + at);
    }
}

// stream += out(seen), then stream += mlp(norm(stream))
void think(const Eye& eye, const VisionBlock& block, const EyeRoom& room, int64_t first,
           int64_t count) {
    const int64_t dim = eye.dim;
    float* stream = room.stream + first * dim;
    gather(eye, room, first, count, room.normed);
    const Product out = {&block.out, stream, dim, true};
    products({room.normed, count, dim, dim}, &out, 1);
    rms_norm(stream, dim, count, dim, block.mlp_norm, eye.norm_eps, room.normed, dim);
    feed_forward({room.normed, count, dim, dim}, block.mlp, room.made, dim);
    add_rows(stream, room.made, count, dim);
}

// Neighbours become one vector of the network's width.
void project(const Eye& eye, const EyeRoom& room, int64_t first, int64_t count, float* vectors) {
    const int64_t width = eye.dim * eye.merge * eye.merge;
    merge(eye, room, first, count, room.wide);
    const Product merged = {&eye.merging, room.normed, eye.dim};
    products({room.wide, count, width, width}, &merged, 1);
    const Product in = {&eye.w_in, room.made, eye.vector_dim};
    products({room.normed, count, eye.dim, eye.dim}, &in, 1);
    gelu(room.made, count, eye.vector_dim);
    const Product out = {&eye.w_out, vectors + first * eye.vector_dim, eye.vector_dim};
    products({room.made, count, eye.vector_dim, eye.vector_dim}, &out, 1);
}

}  // namespace

void see(const Eye& eye, const Picture* pictures, int64_t count, float* vectors) {
    const CacheType type = isa() >= AVX512 ? CACHE_BF16 : CACHE_F32;  // as products keep inputs
    const int workers = num_workers();
    Carver counting(nullptr);
    EyeRoom(eye, pictures, count, type, workers, counting);
    const Block memory(counting.used());
    Carver carver(memory.start);
    const EyeRoom room(eye, pictures, count, type, workers, carver);
    clear_ends(eye, room);
    turn(eye, room);
    const auto each_chunk = [&](auto&& body) { in_turns(room, room.num_patches, body); };
    each_chunk([&](int64_t first, int64_t some) { begin(eye, room, first, some); });
    for (int64_t l = 0; l < eye.num_layers; ++l) {
        const VisionBlock& block = eye.blocks[l];
        each_chunk([&](int64_t first, int64_t some) { ask(eye, block, room, first, some); });
        for (const Place& place : room.places) look(eye, room, place);
        each_chunk([&](int64_t first, int64_t some) { think(eye, block, room, first, some); });
    }
    rms_norm(room.stream, eye.dim, room.num_patches, eye.dim, eye.projector_norm,
             eye.projector_norm_eps, room.stream, eye.dim);
    in_turns(room, room.num_tokens,
             [&](int64_t first, int64_t some) { project(eye, room, first, some, vectors); });
}

}  // namespace bise
