def size : Nat := sorry

structure Buf where
  data : Fin size → Nat

theorem size_pos : 0 < size := sorry

theorem buf_ext (a b : Buf) (h : a.data = b.data) : a = b := sorry
