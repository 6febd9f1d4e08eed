namespace AccountFee

structure Account where
  balance : Int
  paid : Int

inductive Op where
  | deposit : Nat → Op
  | withdraw : Nat → Op

/-- Every withdrawal costs 1, or 2 from 100 on. -/
def step (a : Account) : Op → Account
  | .deposit n => { a with balance := a.balance + n }
  | .withdraw n =>
    let fee := if n < 100 then 1 else 2
    if (n : Int) + fee ≤ a.balance then ⟨a.balance - n - fee, a.paid + n⟩ else a

def run (a : Account) (ops : List Op) : Account := ops.foldl step a

/- Before `step` was changed:

def step (a : Account) : Op → Account
  | .deposit n => { a with balance := a.balance + n }
  | .withdraw n =>
    if (n : Int) ≤ a.balance then ⟨a.balance - n, a.paid + n⟩ else a

The proof that fitted it, and has to be mended:

theorem run_nonneg (a : Account) (ops : List Op) (h : 0 ≤ a.balance) : 0 ≤ (run a ops).balance := by
  induction ops generalizing a with
  | nil => exact h
  | cons op ops ih =>
    apply ih
    cases op with
    | deposit n => simp only [step]; omega
    | withdraw n =>
      simp only [step]
      split
      · simp only; omega
      · exact h

theorem run_paid (a : Account) (ops : List Op) : a.paid ≤ (run a ops).paid := by
  induction ops generalizing a with
  | nil => exact Int.le_refl _
  | cons op ops ih =>
    refine Int.le_trans ?_ (ih (step a op))
    cases op with
    | deposit n => exact Int.le_refl _
    | withdraw n => by_cases h : (n : Int) ≤ a.balance <;> simp [step, h]; omega
-/

theorem run_nonneg (a : Account) (ops : List Op) (h : 0 ≤ a.balance) :
    0 ≤ (run a ops).balance := sorry

theorem run_paid (a : Account) (ops : List Op) : a.paid ≤ (run a ops).paid := sorry

end AccountFee
