namespace KTls;

/// <summary>Whether <see cref="System.Net.Security.SslStream"/> may serve whom KTls cannot.</summary>
public enum FallbackPolicy
{
    /// <summary>It may; the reason is logged as information.</summary>
    Allow,

    /// <summary>It may; the reason is logged as a warning.</summary>
    Warn,

    /// <summary>
    /// It may not: the authentication fails, and the error names the reason. Where the kernel has no TLS, KTls' own record layer serves
    /// instead, unless <see cref="DataPlanePolicy.RequireKernel"/> is set.
    /// </summary>
    Forbid,
}
