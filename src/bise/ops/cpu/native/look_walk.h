// Walking through the entries of a span, and asking memory for those that come.
#pragma once

#include "look_entries.h"

namespace bise {
namespace {

// Position by position.
struct Walk {
    int64_t page_tokens;
    const int64_t* page;
    int64_t slot;

    Walk(const Cache& cache, const Span& span, int64_t position)
        : page_tokens(cache.page_tokens),
          page(span.pages + position / cache.page_tokens),
          slot(position % cache.page_tokens) {}

    int64_t entry() const { return *page * page_tokens + slot; }

    void step() {
        if (++slot == page_tokens) slot = 0, ++page;
    }

    void step(int64_t count) {
        page += (slot + count) / page_tokens;
        slot = (slot + count) % page_tokens;
    }
};

// Brings whole entries into the second cache, some lines whenever it is told to. A processor has a
// dozen lines under way and stands still if it is told of more, so work has to come in between.
class Ahead {
   public:
    Ahead(const Cache& cache, const Span& span, int64_t position)
        : cache_(cache), walk_(cache, span, position), position_(position) {}

    // As far as to this position, from now on.
    void until(int64_t end) { end_position_ = end; }

    void fetch(int lines) {
        for (; lines > 0; --lines, line_ += 64) {
            if (line_ >= end_ && !turn()) return;
            __builtin_prefetch(line_, 0, 2);
        }
    }

   private:
    // The next page, or what may be fetched of it.
    bool turn() {
        const int64_t wanted = end_position_ - position_;
        if (wanted <= 0) return false;
        const int64_t here = walk_.page_tokens - walk_.slot, count = wanted < here ? wanted : here;
        const int64_t bytes = cache_.width * entry_bytes(cache_.type);
        line_ = static_cast<const uint8_t*>(cache_.entries) + walk_.entry() * bytes;
        end_ = line_ + count * bytes;
        if (cache_.scales)
            for (int64_t i = 0; i < count; i += 8)
                __builtin_prefetch(cache_.scales + (walk_.entry() + i) * 2, 0, 2);
        walk_.step(count);
        position_ += count;
        return true;
    }

    const Cache& cache_;
    Walk walk_;
    int64_t position_, end_position_ = 0;
    const uint8_t *line_ = nullptr, *end_ = nullptr;
};

}  // namespace
}  // namespace bise
