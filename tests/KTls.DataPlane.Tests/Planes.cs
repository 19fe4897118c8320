namespace KTls.DataPlane.Tests;

/// <summary>Who seals and opens: the kernel, or our own record layer.</summary>
public static class Planes
{
    public static TheoryData<DataPlanePolicy> Both => [DataPlanePolicy.RequireKernel, DataPlanePolicy.UserSpace];

    /// <summary>Whether a plane can change the keys for sending on this kernel.</summary>
    public static bool CanUpdate(this DataPlanePolicy plane) => plane == DataPlanePolicy.UserSpace || Lab.CanRekey;
}
