// Memory for looking at some pictures: what each has for itself, and what rows share on their way.
#pragma once

#include <algorithm>
#include <vector>

#include "attention.h"
#include "carver.h"
#include "vision.h"

namespace bise {

// One picture. Its heads look one by one, each at a page of its own, so that what a head reads lies
// together; its queries are cut into spans of equally many, the last filled up with zeros.
struct Place {
    Picture picture;
    int64_t first, count;  // its patches among all
    int64_t span_rows, num_spans, page_tokens;
    float *query, *seen;  // [heads][num_spans * span_rows][head dim]
    uint8_t* entries;     // [heads][page_tokens][key | value]

    int64_t query_rows() const { return span_rows * num_spans; }
};

struct EyeRoom {
    CacheType type;  // of entries
    int64_t head_dim, num_patches = 0, num_tokens = 0;
    int64_t chunk_rows;  // that are worked on in one turn, or a few more
    std::vector<Place> places;
    float *stream, *cos, *sin;    // a row a patch
    float *normed, *wide, *made;  // a row a patch, or a token, of a chunk

    EyeRoom(const Eye& eye, const Picture* pictures, int64_t count, CacheType type, int workers,
            Carver& carver)
        : type(type), head_dim(eye.dim / eye.heads), chunk_rows(512 * workers) {
        for (int64_t i = 0; i < count; ++i) add(eye, pictures[i], workers, carver);
        stream = carver.take<float>(num_patches * eye.dim);
        cos = carver.take<float>(num_patches * head_dim / 2);
        sin = carver.take<float>(num_patches * head_dim / 2);
        const int64_t rows = std::min(num_patches, chunk_rows + 32);
        const int64_t patch = eye.channels * eye.patch * eye.patch;
        const int64_t token = eye.dim * eye.merge * eye.merge;
        normed = carver.take<float>(rows * eye.dim);
        wide = carver.take<float>(rows * std::max({3 * eye.dim, patch, token}));
        made = carver.take<float>(rows * std::max(eye.dim, eye.vector_dim));
    }

   private:
    // Spans large enough that keys pay for being read, and enough of them for all workers.
    void add(const Eye& eye, const Picture& picture, int workers, Carver& carver) {
        constexpr int64_t FEWEST = 128, MOST = 1024, SPANS_A_WORKER = 4;
        Place place = {};
        place.picture = picture;
        place.first = num_patches;
        place.count = picture.rows * picture.cols;
        const int64_t fair = place.count * eye.heads / (SPANS_A_WORKER * workers);
        place.num_spans = up(place.count, std::clamp(fair, FEWEST, MOST));
        place.span_rows = up(up(place.count, place.num_spans), 16) * 16;
        place.page_tokens = up(place.count, 16) * 16;
        place.query = carver.take<float>(place.query_rows() * eye.dim);
        place.seen = carver.take<float>(place.query_rows() * eye.dim);
        place.entries = carver.take<uint8_t>(place.page_tokens * 2 * eye.dim *
                                             int64_t(type == CACHE_BF16 ? 2 : 4));
        num_patches += place.count;
        num_tokens += place.count / (eye.merge * eye.merge);
        places.push_back(place);
    }

    static int64_t up(int64_t count, int64_t unit) { return (count + unit - 1) / unit; }
};

}  // namespace bise
