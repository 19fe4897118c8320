namespace KTls;

/// <summary>Who may seal and open the records of a connection.</summary>
public enum DataPlanePolicy
{
    /// <summary>The kernel where it can; otherwise user space or <see cref="System.Net.Security.SslStream"/>, with the reason told.</summary>
    PreferKernel,

    /// <summary>The kernel in every direction of <see cref="KTlsOptions.KernelDirections"/>, or the authentication fails.</summary>
    RequireKernel,

    /// <summary>KTls' own record layer in both directions; the kernel is not asked.</summary>
    UserSpace,

    /// <summary><see cref="System.Net.Security.SslStream"/> does everything: the switch that turns KTls off.</summary>
    SslStream,
}
