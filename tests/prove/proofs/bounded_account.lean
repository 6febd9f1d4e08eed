namespace Account

structure Acc where
  balance : Int
  limit : Int
  log : List Int

inductive Op where
  | deposit : Nat → Op
  | withdraw : Nat → Op

def step (a : Acc) : Op → Acc
  | .deposit n =>
    if a.balance + n ≤ a.limit then
      { a with balance := a.balance + n, log := (n : Int) :: a.log }
    else a
  | .withdraw n =>
    if (n : Int) ≤ a.balance then
      { a with balance := a.balance - n, log := -(n : Int) :: a.log }
    else a

def run (a : Acc) (ops : List Op) : Acc := ops.foldl step a

def Inv (a : Acc) : Prop := 0 ≤ a.balance ∧ a.balance ≤ a.limit

theorem run_cons (a : Acc) (op : Op) (ops : List Op) : run a (op :: ops) = run (step a op) ops := by
  simp [run]

theorem step_inv (a : Acc) (op : Op) (h : Inv a) : Inv (step a op) := by
  obtain ⟨h1, h2⟩ := h
  cases op with
  | deposit n =>
    simp only [step]
    split
    · rename_i hle
      exact And.intro (by show (0 : Int) ≤ a.balance + n; omega) hle
    · exact And.intro h1 h2
  | withdraw n =>
    simp only [step]
    split
    · refine And.intro ?_ ?_
      · show (0 : Int) ≤ a.balance - n
        omega
      · show a.balance - (n : Int) ≤ a.limit
        omega
    · exact And.intro h1 h2

theorem step_log (a : Acc) (op : Op) :
    (step a op).balance - (step a op).log.sum = a.balance - a.log.sum := by
  cases op <;> simp only [step] <;> split <;> simp only [List.sum_cons] <;> omega

theorem step_limit (a : Acc) (op : Op) : (step a op).limit = a.limit := by
  cases op <;> simp only [step] <;> split <;> rfl

theorem run_inv (a : Acc) (ops : List Op) (h : Inv a) : Inv (run a ops) := by
  induction ops generalizing a with
  | nil => exact h
  | cons op ops ih =>
    rw [run_cons]
    exact ih _ (step_inv a op h)

theorem run_log (a : Acc) (ops : List Op) :
    (run a ops).balance - (run a ops).log.sum = a.balance - a.log.sum := by
  induction ops generalizing a with
  | nil => rfl
  | cons op ops ih => rw [run_cons, ih, step_log]

theorem run_limit (a : Acc) (ops : List Op) : (run a ops).limit = a.limit := by
  induction ops generalizing a with
  | nil => rfl
  | cons op ops ih => rw [run_cons, ih, step_limit]

end Account
