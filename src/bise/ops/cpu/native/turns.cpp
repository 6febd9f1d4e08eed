#include "turns.h"

#include <condition_variable>
#include <mutex>
#include <new>

#include "pool_sleep.h"

namespace bise {

namespace {

struct Queue {
    std::mutex mutex;
    std::condition_variable moved;
    uint64_t next = 0, now = 0;  // numbers: to be drawn, and being served
};

// Never destroyed. A child of a fork gets it anew: the thread whose turn it was is not there.
Queue& queue() {
    alignas(Queue) static char place[sizeof(Queue)];
    static const auto renew = [] { new (place) Queue; };
    static const bool is_made = (renew(), forget_pool_in_children(renew), true);
    (void)is_made;
    return *reinterpret_cast<Queue*>(place);
}

}  // namespace

Turn::Turn() {
    Queue& all = queue();
    std::unique_lock<std::mutex> lock(all.mutex);
    const uint64_t mine = all.next++;
    all.moved.wait(lock, [&] { return all.now == mine; });
}

Turn::~Turn() {
    Queue& all = queue();
    const std::lock_guard<std::mutex> lock(all.mutex);
    ++all.now;
    all.moved.notify_all();
}

}  // namespace bise
