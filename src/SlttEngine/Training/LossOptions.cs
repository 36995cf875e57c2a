namespace SlttEngine.Training;

/// <summary>The loss of a step: (1−λ) CE(z, y) + λ MSE(z, target); λ = 0: CE alone.</summary>
/// <param name="Lambda">λ, the weight of the MSE term.</param>
/// <param name="MseOneHot">True: the target is one-hot(y); false: the constant <paramref name="Means"/>.</param>
/// <param name="Means">Target of the MSE term without <paramref name="MseOneHot"/>.</param>
public sealed record LossOptions(float Lambda = 0.05f, bool MseOneHot = false, float Means = 1f);
