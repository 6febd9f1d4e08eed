#include "residency.h"

#include <algorithm>
#include <list>
#include <vector>

#include "matrix_layout.h"

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace bise {

namespace {

struct Range {
    const uint8_t* at = nullptr;
    int64_t bytes = 0;
};

// The pages that lie wholly inside a range: neighbours' numbers stay where they are.
Range inner_pages(const Range& range) {
#if defined(__unix__) || defined(__APPLE__)
    static const int64_t page = sysconf(_SC_PAGESIZE);
    const auto begin = (reinterpret_cast<uintptr_t>(range.at) + page - 1) / page * page;
    const auto end = (reinterpret_cast<uintptr_t>(range.at) + range.bytes) / page * page;
    if (end <= begin) return {};
    return {reinterpret_cast<const uint8_t*>(begin), int64_t(end - begin)};
#else
    return {};
#endif
}

void begin_reading(const Range& range) {
#if defined(__unix__) || defined(__APPLE__)
    const Range pages = inner_pages(range);
    if (pages.bytes) madvise(const_cast<uint8_t*>(pages.at), pages.bytes, MADV_WILLNEED);
#else
    (void)range;
#endif
}

// Out of this process, and out of the system's cache of the file: nobody else counts on it.
void drop(const Range& range, int file, const uint8_t* mapped) {
#if defined(__linux__)
    const Range pages = inner_pages(range);
    if (!pages.bytes || file < 0) return;
    madvise(const_cast<uint8_t*>(pages.at), pages.bytes, MADV_DONTNEED);
    posix_fadvise(file, pages.at - mapped, pages.bytes, POSIX_FADV_DONTNEED);
#else
    (void)range, (void)file, (void)mapped;
#endif
}

Range range_of(const Matrix& matrix) {
    return {matrix.packed, num_panels(matrix.outputs) * panel_bytes(matrix.type, matrix.inputs)};
}

}  // namespace

struct Residency::State {
    struct Expert {
        Range ranges[2];
        bool is_there = false, was_expected = false;
        std::list<int64_t>::iterator place;

        int64_t bytes() const { return ranges[0].bytes + ranges[1].bytes; }
    };

    int64_t budget, num_experts;
    int file;
    const uint8_t* mapped;
    std::vector<Expert> experts;
    std::list<int64_t> order;  // of those that are there, the one used last in front
    ResidencyCounts counts = {};

    void bring(int64_t index) {
        Expert& one = experts[index];
        if (one.is_there) {
            order.splice(order.begin(), order, one.place);
            return;
        }
        order.push_front(index);
        one.place = order.begin();
        one.is_there = true;
        counts.resident_bytes += one.bytes();
        counts.read_bytes += one.bytes();
        make_room(index);
        for (const Range& range : one.ranges) begin_reading(range);
    }

    // Whether room for so much would be made by experts of a layer that is at work right now.
    bool would_displace(int64_t layer, int64_t bytes) const {
        return counts.resident_bytes + bytes > budget && !order.empty() &&
               order.back() / num_experts == layer;
    }

    void make_room(int64_t kept) {
        while (counts.resident_bytes > budget && order.back() != kept) {
            Expert& last = experts[order.back()];
            order.pop_back();
            last.is_there = last.was_expected = false;
            counts.resident_bytes -= last.bytes();
            for (const Range& range : last.ranges) drop(range, file, mapped);
        }
    }
};

Residency::Residency(int64_t budget_bytes, int64_t num_layers, int64_t num_experts, int file,
                     const uint8_t* mapped)
    : state_(new State{}) {
    state_->budget = budget_bytes;
    state_->num_experts = num_experts;
    state_->file = file;
    state_->mapped = mapped;
    state_->experts.resize(num_layers * num_experts);
}

Residency::~Residency() = default;

void Residency::describe(int64_t layer, int64_t expert, const Gated& weights) {
    State::Expert& one = state_->experts[layer * state_->num_experts + expert];
    one.ranges[0] = range_of(*weights.gate_up);
    one.ranges[1] = range_of(*weights.down);
}

void Residency::need(int64_t layer, const int32_t* experts, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        const int64_t index = layer * state_->num_experts + experts[i];
        State::Expert& one = state_->experts[index];
        ++state_->counts.asked;
        state_->counts.found += one.is_there;
        state_->counts.guessed_right += one.is_there && one.was_expected;
        state_->bring(index);
        one.was_expected = false;
    }
}

void Residency::expect(int64_t layer, const int32_t* experts, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        const int64_t index = layer * state_->num_experts + experts[i];
        State::Expert& one = state_->experts[index];
        if (!one.is_there && state_->would_displace(layer - 1, one.bytes())) continue;
        one.was_expected |= !one.is_there;
        state_->bring(index);
    }
}

ResidencyCounts Residency::counts() const { return state_->counts; }

}  // namespace bise
