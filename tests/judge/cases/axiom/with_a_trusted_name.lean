def double (n : Nat) : Nat := n + n

namespace Classical
axiom choice' : False
end Classical

namespace Mine
axiom propext (p : Prop) : p
end Mine

theorem double_odd (n : Nat) : double n % 2 = 1 := Mine.propext _
