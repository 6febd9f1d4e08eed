#include "pool_sleep.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <condition_variable>
#include <mutex>
#endif

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace bise {

#if defined(__linux__)

namespace {

long futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
    static_assert(sizeof word == sizeof(uint32_t), "the kernel looks at a plain word");
    return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

}  // namespace

void sleep_while(std::atomic<uint32_t>& word, uint32_t seen) { futex(word, FUTEX_WAIT, seen); }

void wake_sleepers(std::atomic<uint32_t>& word, int count) { futex(word, FUTEX_WAKE, count); }

#else

namespace {

std::mutex door;
std::condition_variable bell;

}  // namespace

void sleep_while(std::atomic<uint32_t>& word, uint32_t seen) {
    std::unique_lock<std::mutex> lock(door);
    if (word.load() == seen) bell.wait(lock);
}

void wake_sleepers(std::atomic<uint32_t>&, int) {
    std::lock_guard<std::mutex> lock(door);
    bell.notify_all();
}

#endif

void forget_pool_in_children(void (*forget)()) {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, forget);
#else
    (void)forget;
#endif
}

}  // namespace bise
