namespace SlttEngine.Tests.Cli;

/// <summary>
/// Command lines of the official programs, with the run folder and the args.txt that those programs themselves make of them (Python 3.11).
/// </summary>
internal static class OfficialCommands
{
    internal sealed record Case(string Command, string Arguments, string RunFolder, string ArgsText)
    {
        internal string[] Words => Arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);

        public override string ToString() => $"{Command} {Arguments}";
    }

    internal static readonly Case[] All =
    [
        new("train-sltt", "-data_dir ./data -dataset cifar10 -model spiking_resnet18 -amp -T_max 200 -epochs 200 -weight_decay 5e-5",
            "./logs/SLTT_cifar10_spiking_resnet18__T6_tau1.1_e200_bs128_SGD_lr0.1_wd5e-05_SG_triangle_drop0.0_losslamb0.05_CosALR"
                + "_200_amp",
            "Namespace(seed=2022, name='', T=6, tau=1.1, b=128, epochs=200, j=4, data_dir='./data', dataset='cifar10', out_dir='./logs', "
                + "surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.1, momentum=0.9, lr_scheduler='CosALR', "
                + "step_size=100, gamma=0.1, T_max=200, model='spiking_resnet18', drop_rate=0.0, weight_decay=5e-05, "
                        + "loss_lambda=0.05, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-sltt", "-data_dir ./data -dataset cifar100 -model spiking_resnet18 -amp -T_max 200 -epochs 200 -weight_decay 5e-4",
            "./logs/SLTT_cifar100_spiking_resnet18__T6_tau1.1_e200_bs128_SGD_lr0.1_wd0.0005_SG_triangle_drop0.0_losslamb0.05_CosALR"
                + "_200_amp",
            "Namespace(seed=2022, name='', T=6, tau=1.1, b=128, epochs=200, j=4, data_dir='./data', dataset='cifar100', out_dir='./logs', "
                + "surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.1, momentum=0.9, lr_scheduler='CosALR', "
                + "step_size=100, gamma=0.1, T_max=200, model='spiking_resnet18', drop_rate=0.0, weight_decay=0.0005, "
                        + "loss_lambda=0.05, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-sltt",
            "-data_dir ./data/CIFAR10DVS -dataset DVSCIFAR10 -T 10 -amp -drop_rate 0.3 -model spiking_vgg11_bn -lr=0.05 -weight_decay "
                + "5e-4 -mse_n_reg",
            "./logs/SLTT_DVSCIFAR10_spiking_vgg11_bn__T10_tau1.1_e300_bs128_SGD_lr0.05_wd0.0005_SG_triangle_drop0.3_losslamb0.05_CosALR_"
                + "300_amp",
            "Namespace(seed=2022, name='', T=10, tau=1.1, b=128, epochs=300, j=4, data_dir='./data/CIFAR10DVS', dataset='DVSCIFAR10', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.05, momentum=0.9, "
                + "lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.3, "
                        + "weight_decay=0.0005, loss_lambda=0.05, mse_n_reg=True, loss_means=1.0, save_init=False)"),
        new("train-sltt",
            "-data_dir ./data/dvsgesture -dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp -drop_rate 0.4 -weight_decay 5e-4",
            "./logs/SLTT_dvsgesture_spiking_vgg11_bn__T20_tau1.1_e300_bs16_SGD_lr0.1_wd0.0005_SG_triangle_drop0.4_losslamb0.05_CosALR_300_"
                + "amp",
            "Namespace(seed=2022, name='', T=20, tau=1.1, b=16, epochs=300, j=4, data_dir='./data/dvsgesture', dataset='dvsgesture', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.1, momentum=0.9, "
                + "lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.4, "
                        + "weight_decay=0.0005, loss_lambda=0.05, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-sltt",
            "-data_dir ./data/imagenet/ -dataset imagenet -T 1 -amp -epochs 100 -b 256 -T_max 100 -weight_decay 1e-5 -loss_lambda 0.0 "
                + "-model spiking_nfresnet34",
            "./logs/SLTT_imagenet_spiking_nfresnet34__T1_tau1.1_e100_bs256_SGD_lr0.1_wd1e-05_SG_triangle_drop0.0_losslamb0.0_"
                + "CosALR_100_amp",
            "Namespace(seed=2022, name='', T=1, tau=1.1, b=256, epochs=100, j=4, data_dir='./data/imagenet/', dataset='imagenet', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.1, momentum=0.9, "
                + "lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=100, model='spiking_nfresnet34', drop_rate=0.0, "
                        + "weight_decay=1e-05, loss_lambda=0.0, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-sltt",
            "-data_dir ./data/imagenet/ -dataset imagenet -T 6 -amp -epochs 30 -b 256 -T_max 30 -weight_decay 0.0 -loss_lambda 0.0 -model "
                + "spiking_nfresnet34 -lr 0.001 -pre_train ./logs/imagenet_resnet34_t1.pth",
            "./logs/SLTT_imagenet_spiking_nfresnet34__T6_tau1.1_e30_bs256_SGD_lr0.001_wd0.0_SG_triangle_drop0.0_losslamb0.0_CosALR_30_amp",
            "Namespace(seed=2022, name='', T=6, tau=1.1, b=256, epochs=30, j=4, data_dir='./data/imagenet/', dataset='imagenet', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train='./logs/imagenet_resnet34_t1.pth', amp=True, opt='SGD', "
                + "lr=0.001, momentum=0.9, lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=30, model='spiking_nfresnet34', "
                        + "drop_rate=0.0, weight_decay=0.0, loss_lambda=0.0, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-slttk",
            "-K 4 -data_dir ./data/dvsgesture -dataset dvsgesture -model spiking_vgg11_bn -T 20 -b 16 -amp -drop_rate 0.4 -weight_decay "
                + "5e-4",
            "./logs/SLTTK4_dvsgesture_spiking_vgg11_bn__T20_tau1.1_e300_bs16_SGD_lr0.1_wd0.0005_SG_triangle_drop0.4_losslamb0.05_CosALR_"
                + "300_amp",
            "Namespace(seed=2022, name='', T=20, tau=1.1, b=16, epochs=300, j=4, data_dir='./data/dvsgesture', dataset='dvsgesture', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.1, momentum=0.9, "
                + "lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.4, "
                        + "weight_decay=0.0005, loss_lambda=0.05, mse_n_reg=False, loss_means=1.0, save_init=False, K=4)"),
        new("train-slttk",
            "-K 2 -data_dir ./data/CIFAR10DVS/ -dataset DVSCIFAR10 -T 10 -amp -drop_rate 0.3 -model spiking_vgg11_bn -lr=0.05 "
                + "-weight_decay 5e-4 -mse_n_reg",
            "./logs/SLTTK2_DVSCIFAR10_spiking_vgg11_bn__T10_tau1.1_e300_bs128_SGD_lr0.05_wd0.0005_SG_triangle_drop0.3_losslamb0.05_CosALR_"
                + "300_amp",
            "Namespace(seed=2022, name='', T=10, tau=1.1, b=128, epochs=300, j=4, data_dir='./data/CIFAR10DVS/', dataset='DVSCIFAR10', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=True, opt='SGD', lr=0.05, momentum=0.9, "
                + "lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.3, "
                        + "weight_decay=0.0005, loss_lambda=0.05, mse_n_reg=True, loss_means=1.0, save_init=False, K=2)"),
        new("train-slttk",
            "-K 2 -data_dir ./data/imagenet/ -dataset imagenet -T 6 -amp -epochs 30 -b 256 -T_max 30 -weight_decay 0.0 -loss_lambda 0.0 "
                + "-model spiking_nfresnet101 -lr 0.001 -pre_train ./logs/imagenet_resnet101_t1.pth",
            "./logs/SLTTK2_imagenet_spiking_nfresnet101__T6_tau1.1_e30_bs256_SGD_lr0.001_wd0.0_SG_triangle_drop0.0_losslamb0.0_CosALR_30_"
                + "amp",
            "Namespace(seed=2022, name='', T=6, tau=1.1, b=256, epochs=30, j=4, data_dir='./data/imagenet/', dataset='imagenet', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train='./logs/imagenet_resnet101_t1.pth', amp=True, "
                + "opt='SGD', lr=0.001, momentum=0.9, lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=30, "
                        + "model='spiking_nfresnet101', drop_rate=0.0, weight_decay=0.0, loss_lambda=0.0, mse_n_reg=False, "
                        + "loss_means=1.0, save_init=False, K=2)"),
        new("train-sltt", "",
            "./logs/SLTT_cifar10_spiking_vgg11_bn__T6_tau1.1_e300_bs128_SGD_lr0.1_wd0_SG_triangle_drop0.0_losslamb0.05_CosALR_300",
            "Namespace(seed=2022, name='', T=6, tau=1.1, b=128, epochs=300, j=4, data_dir='./data', dataset='cifar10', out_dir='./logs', "
                + "surrogate='triangle', resume=None, pre_train=None, amp=False, opt='SGD', lr=0.1, momentum=0.9, lr_scheduler='CosALR', "
                + "step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.0, weight_decay=0, loss_lambda=0.05, "
                        + "mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-sltt", "-lr_scheduler StepLR -name run1 -tau 2 -lr 1e-5 -weight_decay 0 -dataset cifar10 -model spiking_resnet18",
            "./logs/SLTT_cifar10_spiking_resnet18_run1_T6_tau2.0_e300_bs128_SGD_lr1e-05_wd0.0_SG_triangle_drop0.0_losslamb0.05_StepLR_100_"
                + "0.1",
            "Namespace(seed=2022, name='run1', T=6, tau=2.0, b=128, epochs=300, j=4, data_dir='./data', dataset='cifar10', "
                + "out_dir='./logs', surrogate='triangle', resume=None, pre_train=None, amp=False, opt='SGD', lr=1e-05, momentum=0.9, "
                + "lr_scheduler='StepLR', step_size=100, gamma=0.1, T_max=300, model='spiking_resnet18', drop_rate=0.0, "
                        + "weight_decay=0.0, loss_lambda=0.05, mse_n_reg=False, loss_means=1.0, save_init=False)"),
        new("train-slttk",
            "-lr_scheduler=StepLR -step_size=30 -gamma .3 -drop_rate 0 -loss_lambda 0 -T 4 -opt AdamW -surrogate sigmoid -b 1",
            "./logs/SLTTK2_cifar10_spiking_vgg11_bn__T4_tau1.1_e300_bs1_AdamW_lr0.1_wd0_SG_sigmoid_drop0.0_losslamb0.0_StepLR_30.0_0.3",
            "Namespace(seed=2022, name='', T=4, tau=1.1, b=1, epochs=300, j=4, data_dir='./data', dataset='cifar10', out_dir='./logs', "
                + "surrogate='sigmoid', resume=None, pre_train=None, amp=False, opt='AdamW', lr=0.1, momentum=0.9, lr_scheduler='StepLR', "
                + "step_size=30.0, gamma=0.3, T_max=300, model='spiking_vgg11_bn', drop_rate=0.0, weight_decay=0, loss_lambda=0.0, "
                        + "mse_n_reg=False, loss_means=1.0, save_init=False, K=2)"),
        new("train-bptt",
            "-seed 7 -lr 0.00012345 -weight_decay 1 -resume x/y.pth -save_init -name it's -loss_means 2 -amp -surrogate rectangle",
            "./logs/BPTT_cifar10_spiking_vgg11_bn_it's_T6_tau1.1_e300_bs128_SGD_lr0.00012345_wd1.0_SG_rectangle_drop0.0_losslamb0.05_"
                + "CosALR_300_amp",
            "Namespace(seed=7, name=\"it's\", T=6, tau=1.1, b=128, epochs=300, j=4, data_dir='./data', dataset='cifar10', "
                + "out_dir='./logs', surrogate='rectangle', resume='x/y.pth', pre_train=None, amp=True, opt='SGD', lr=0.00012345, "
                + "momentum=0.9, lr_scheduler='CosALR', step_size=100, gamma=0.1, T_max=300, model='spiking_vgg11_bn', drop_rate=0.0, "
                        + "weight_decay=1.0, loss_lambda=0.05, mse_n_reg=False, loss_means=2.0, save_init=True)"),
    ];
}
