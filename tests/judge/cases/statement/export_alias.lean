def double (n : Nat) : Nat := n + n
namespace Foo
theorem double_odd (n : Nat) : double n % 2 = double n % 2 := rfl
end Foo
export Foo (double_odd)
