// augment_cifar: reads a batch of CIFAR images from bytes on the device, augments and normalises it.
//
//   train: random crop of 32 from the image padded by 4 with zeros; cutout with probability 1/2: a box of area s = U(0.02, 0.4) of the
//          image and aspect r = U(0.4, 2.5), width int(sqrt(1024 s/r)), height int(sqrt(1024 s r)), anywhere inside, filled with one
//          grey 0..255; flip with probability 1/2.
//   always: x = (byte/255 - mean)/std
//
// images (M, 3, 32, 32) u8, in the layout of CIFAR's files; indices (n): the batch's images.
// x (n, 32, 32, channels), NHWC, type T, channels >= 3; the channels from the fourth on are set to 0.
// Bytes an element of the first three channels: reads 1, writes b. Overwrites x.
// Random numbers: Philox at (i, draw, iteration), i the sample's place in the batch. They are the same at every t and need no state.
// Numerics: float, rounded once. Source: the official programs: torchvision's RandomCrop(32, padding=4), torchtoolbox's Cutout(),
// RandomHorizontalFlip, ToTensor, Normalize, in this order.
#include "common/sltt.cuh"

namespace sltt {

constexpr uint32_t AUGMENT_LAYER = 0xC1FA0;  // no dropout layer has this number

// Where the pixels of one augmented image come from.
struct Augmentation {
    int crop_x, crop_y;                            // corner in the padded image, 0..8
    int cut_left, cut_top, cut_right, cut_bottom;  // before the flip; empty without cutout
    float grey;
    int flip;
};

// Uniform integer in [0, count).
__device__ inline int uniform_int(uint32_t bits, int count) { return (int)(((uint64_t)bits * (uint64_t)count) >> 32); }

__device__ inline Augmentation draw_augmentation(int64_t i, uint64_t iteration, uint64_t seed) {
    Random4 a = philox((uint32_t)i, AUGMENT_LAYER << 8, (uint32_t)iteration, (uint32_t)(iteration >> 32), seed);
    Random4 b = philox((uint32_t)i, (AUGMENT_LAYER << 8) + 1, (uint32_t)iteration, (uint32_t)(iteration >> 32), seed);
    Augmentation out = {uniform_int(a.x[0], 9), uniform_int(a.x[1], 9), 0, 0, 0, 0, 0.0f, uniform(a.x[2]) < 0.5f ? 1 : 0};
    if (uniform(a.x[3]) < 0.5f) {
        float area = (0.02f + 0.38f * uniform(b.x[0])) * 1024.0f, aspect = 0.4f + 2.1f * uniform(b.x[1]);
        int width = (int)sqrtf(area / aspect), height = (int)sqrtf(area * aspect);
        width = width < 32 ? width : 32;
        height = height < 32 ? height : 32;
        out.cut_left = uniform_int(b.x[2], 32 - width + 1);
        out.cut_top = uniform_int(b.x[3], 32 - height + 1);
        out.cut_right = out.cut_left + width;
        out.cut_bottom = out.cut_top + height;
        Random4 c = philox((uint32_t)i, (AUGMENT_LAYER << 8) + 2, (uint32_t)iteration, (uint32_t)(iteration >> 32), seed);
        out.grey = (float)uniform_int(c.x[0], 256);
    }
    return out;
}

// The byte of channel k at (row, column) of the augmented image.
__device__ inline float augmented_byte(const uint8_t* image, const Augmentation& a, int k, int row, int column) {
    int from = a.flip ? 31 - column : column;
    if (from >= a.cut_left && from < a.cut_right && row >= a.cut_top && row < a.cut_bottom) return a.grey;
    int y = row + a.crop_y - 4, x = from + a.crop_x - 4;
    return y >= 0 && y < 32 && x >= 0 && x < 32 ? (float)image[(k * 32 + y) * 32 + x] : 0.0f;
}

template <class T>
__device__ inline void augment_cifar(T* x, const uint8_t* images, const int32_t* indices, const RunState* state, const float (&mean)[3],
                                     const float (&std)[3], int train, int n, int channels) {
    uint64_t iteration = state->iteration, seed = state->seed;
    auto augmentation = [=](int64_t line) {
        Augmentation none = {4, 4, 0, 0, 0, 0, 0.0f, 0};
        return train ? draw_augmentation(line >> 5, iteration, seed) : none;
    };
    for_lines((int64_t)n * 32, 32, augmentation, [=](int64_t line, int column, const Augmentation& a) {
        int row = (int)(line & 31);
        const uint8_t* image = images + (int64_t)indices[line >> 5] * 3072;
        T* pixel = x + (line * 32 + column) * channels;
        for (int k = 0; k < 3; ++k) pixel[k] = from_float<T>((augmented_byte(image, a, k, row, column) / 255.0f - mean[k]) / std[k]);
        for (int k = 3; k < channels; ++k) pixel[k] = from_float<T>(0.0f);
    });
}

#define VARIANT(T, suffix)                                                                                                          \
    SLTT_KERNEL(augment_cifar_##suffix,                                                                                             \
                (T* __restrict__ x, const uint8_t* __restrict__ images, const int32_t* __restrict__ indices, const RunState* state, \
                 float mean0, float mean1, float mean2, float std0, float std1, float std2, int train, int n, int channels),        \
                augment_cifar<T>(x, images, indices, state, {mean0, mean1, mean2}, {std0, std1, std2}, train, n, channels))
SLTT_FOR_EACH_TYPE(VARIANT)
#undef VARIANT

}  // namespace sltt
