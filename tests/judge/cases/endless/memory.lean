def double (n : Nat) : Nat := n + n

partial def grow (xs : List ByteArray) : IO Unit := do
  grow (ByteArray.mk (Array.replicate 10000000 0) :: xs)

#eval grow []

theorem double_odd (n : Nat) : double n % 2 = 1 := sorry
