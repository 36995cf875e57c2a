// Handles that the caller holds. A lookup checks the handle and keeps the object alive while a call uses it.
#pragma once
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

namespace sltt_cpu {

template <class T, class Handle> class HandleTable {
public:
    Handle add(std::shared_ptr<T> object) {
        Handle handle = reinterpret_cast<Handle>(object.get());
        std::unique_lock lock(mutex_);
        objects_[handle] = std::move(object);
        return handle;
    }
    // Null where the handle names nothing alive.
    std::shared_ptr<T> find(Handle handle) const {
        std::shared_lock lock(mutex_);
        auto found = objects_.find(handle);
        return found == objects_.end() ? nullptr : found->second;
    }
    // Removes the handle; returns its object, or null.
    std::shared_ptr<T> remove(Handle handle) {
        std::unique_lock lock(mutex_);
        auto found = objects_.find(handle);
        if (found == objects_.end()) return nullptr;
        std::shared_ptr<T> object = std::move(found->second);
        objects_.erase(found);
        return object;
    }
    std::vector<std::shared_ptr<T>> all() const {
        std::shared_lock lock(mutex_);
        std::vector<std::shared_ptr<T>> out;
        for (const auto& [handle, object] : objects_) out.push_back(object);
        return out;
    }

private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<Handle, std::shared_ptr<T>> objects_;
};

// One table for each kind of object, never destroyed: finalizers may still call while the process ends.
template <class T, class Handle> HandleTable<T, Handle>& handles() {
    static auto* table = new HandleTable<T, Handle>;
    return *table;
}

}  // namespace sltt_cpu
