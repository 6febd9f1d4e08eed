def size : Nat := 16

structure Buf where
  data : Fin size → Nat

theorem size_pos : 0 < size := by decide

theorem buf_ext (a b : Buf) (h : a.data = b.data) : a = b := by cases a; cases b; simp_all
