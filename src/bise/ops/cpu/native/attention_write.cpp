// New entries on their way into the pages.
#include <algorithm>
#include <cstring>

#include "attention.h"
#include "look_entries.h"
#include "pool.h"

namespace bise {

namespace {

constexpr int64_t ENOUGH_NUMBERS = 1 << 15;  // below that, one thread is done before others wake

using WritePart = float (*)(CacheType type, const float* from, int64_t count, uint8_t* to);

void write_entry(const Cache& cache, int64_t entry, const float* from, int64_t first_part,
                 WritePart write) {
    const int64_t width = cache.width;
    switch (cache.type) {
        case CACHE_F32:
            std::memcpy(static_cast<float*>(cache.entries) + entry * width, from, width * 4);
            return;
        case CACHE_BF16: {
            auto* to = static_cast<uint16_t*>(cache.entries) + entry * width;
            for (int64_t i = 0; i < width; ++i) to[i] = to_bf16(from[i]);
            return;
        }
        default: {
            auto* to = static_cast<uint8_t*>(cache.entries) + entry * width;
            float* scales = cache.scales + entry * 2;
            scales[0] = write(cache.type, from, first_part, to);
            scales[1] = write(cache.type, from + first_part, width - first_part, to + first_part);
        }
    }
}

void write_span(const Cache& cache, const Span& span, const float* entries, int64_t first_part) {
    const WritePart write = look_variant().write;
    for (int64_t token = 0; token < span.count; ++token)
        write_entry(cache, entry_of(cache, span, span.start + token), entries + token * cache.width,
                    first_part, write);
}

}  // namespace

void write_cache(const Cache& cache, const Span* spans, int64_t num_spans, const float* entries,
                 int64_t first_part) {
    constexpr int64_t CHUNK = 32;
    for (int64_t i = 0; i < num_spans; ++i) {
        const Span& span = spans[i];
        if (span.count * cache.width < ENOUGH_NUMBERS) {
            write_span(cache, span, entries, first_part);
        } else {
            parallel((span.count + CHUNK - 1) / CHUNK, [&](int64_t chunk, int) {
                const int64_t first = chunk * CHUNK;
                const Span part = {span.start + first, std::min(CHUNK, span.count - first),
                                   span.pages};
                write_span(cache, part, entries + first * cache.width, first_part);
            });
        }
        entries += span.count * cache.width;
    }
}

}  // namespace bise
